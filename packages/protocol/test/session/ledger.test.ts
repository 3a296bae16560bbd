import { describe, expect, it } from 'vitest';
import { Ledger } from '../../src/session/ledger.ts';

const filled = (count: number): Ledger<{ text: string; size: number }> => {
  const ledger = new Ledger<{ text: string; size: number }>();
  for (let i = 0; i < count; i += 1) ledger.enqueue({ text: String(i), size: 2 });
  return ledger;
};

describe('a ledger', () => {
  it('keeps frames until they are acknowledged, and ignores old news', () => {
    const ledger = filled(200);
    expect(ledger.acknowledge(150)).toBe(true);
    expect(ledger.acknowledge(100)).toBe(false);
    expect([ledger.acked, ledger.ob, ledger.tx, ledger.bytes]).toEqual([150, 150, 200, 100]);
    expect(ledger.at(150).text).toBe('150');
    expect(() => ledger.at(149)).toThrow(RangeError);
  });

  it('takes as much as fits but at least one', () => {
    expect(
      filled(9)
        .slice(3, 5)
        .map(({ text }) => text),
    ).toEqual(['3', '4']);
    expect(filled(9).slice(3, 1)).toHaveLength(1);
  });

  it('keeps `acked` apart from what it still has after a drop', () => {
    const ledger = filled(5);
    ledger.drop();
    expect([ledger.acked, ledger.ob, ledger.tx, ledger.bytes]).toEqual([0, 5, 5, 0]);
    expect([ledger.covers(4), ledger.covers(5)]).toEqual([false, true]);
    expect([ledger.isPossible(5), ledger.isPossible(6)]).toEqual([true, false]);
  });
});
