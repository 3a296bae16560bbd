import { describe, expect, it } from 'vitest';
import { isFlawless, Sequence } from '../src/sequence.ts';

function taken(...numbers: number[]): Sequence {
  const sequence = new Sequence();
  for (const n of numbers) sequence.take(n);
  return sequence;
}

describe('a sequence', () => {
  it('finds nothing wrong with numbers that came once and in order', () => {
    expect(taken(0, 1, 2, 3).tally(4)).toEqual({ received: 4, missing: 0, repeated: 0, disordered: 0 });
  });

  it('counts a number that was left out as missing', () => {
    expect(taken(0, 1, 4).tally()).toEqual({ received: 3, missing: 2, repeated: 0, disordered: 0 });
  });

  it('counts what was sent and never came as missing, once it is told how much was sent', () => {
    expect(taken(0, 1).tally().missing).toBe(0);
    expect(taken(0, 1).tally(5).missing).toBe(3);
    expect(new Sequence().tally(2)).toEqual({ received: 0, missing: 2, repeated: 0, disordered: 0 });
  });

  it('counts a number that came after a higher one as out of order, and no longer as missing', () => {
    expect(taken(0, 2, 1, 3).tally(4)).toEqual({ received: 4, missing: 0, repeated: 0, disordered: 1 });
  });

  it('counts a number that came again as repeated, and not as received', () => {
    expect(taken(0, 1, 1, 0, 2).tally(3)).toEqual({ received: 3, missing: 0, repeated: 2, disordered: 0 });
    expect(taken(0, 2, 1, 1).tally(3)).toEqual({ received: 3, missing: 0, repeated: 1, disordered: 1 });
  });

  it('is flawless only without any of the three', () => {
    expect(isFlawless(taken(0, 1, 2).tally(3))).toBe(true);
    expect(isFlawless(taken(0, 1, 2).tally(4))).toBe(false);
    expect(isFlawless(taken(0, 1, 1).tally(2))).toBe(false);
    expect(isFlawless(taken(1, 0).tally(2))).toBe(false);
  });
});
