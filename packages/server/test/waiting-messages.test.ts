import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiveMessage } from '../src/live-message.ts';
import { sharedLine } from '../src/shared-line.ts';
import { type Departure, WaitingMessages } from '../src/waiting-messages.ts';

const messageOf = (
  offset: number,
  { slot = null, prev = offset - 1, size = 10 }: Partial<LiveMessage & { size: number }> = {},
) => ({
  offset,
  prev,
  slot,
  lines: [sharedLine('x'.repeat(size - 1))],
});

const waiting = (bounds = {}, position = 0) =>
  new WaitingMessages(position, { messagesMax: 100, bytesMax: 100_000, ...bounds });

/** Everything that goes out: `4` a message, `'1-3'` what is said to be skipped. */
function drain(messages: WaitingMessages): (number | string)[] {
  const out: (number | string)[] = [];
  for (let departure = messages.shift(); departure !== null; departure = messages.shift()) {
    const { skipped, message } = departure;
    if (skipped !== null) out.push(`${skipped.from}-${skipped.to}`);
    out.push(message.offset);
  }
  return out;
}

describe('messages that wait', () => {
  it('go out in order', () => {
    const messages = waiting({}, 4);
    for (const offset of [5, 6, 7]) messages.push(messageOf(offset));
    expect(drain(messages)).toEqual([5, 6, 7]);
    expect(messages.shift()).toBeNull();
  });

  it('give way to newer ones with the same slot, which is declared', () => {
    const messages = waiting();
    for (const [offset, slot] of [
      [1, 'a'],
      [2, 'b'],
      [3, null],
      [4, 'a'],
      [5, 'a'],
      [6, 'b'],
    ] as const) {
      messages.push(messageOf(offset, { slot }));
    }
    expect(messages.size).toBe(3);
    expect(drain(messages)).toEqual(['1-2', 3, '4-4', 5, 6]);
  });

  it('may be dropped from the oldest on, which is declared', () => {
    const messages = waiting({ messagesMax: 2 });
    for (const offset of [1, 2, 3, 4]) {
      messages.push(messageOf(offset));
      while (messages.overfull) messages.dropOldest();
    }
    expect(drain(messages)).toEqual(['1-2', 3, 4]);
  });

  it('are overfull by their bytes too, but never the only one', () => {
    const messages = waiting({ bytesMax: 15 });
    messages.push(messageOf(1, { size: 50 }));
    expect(messages.overfull).toBe(false);
    messages.push(messageOf(2, { size: 2 }));
    expect(messages.overfull).toBe(true);
    messages.dropOldest();
    expect([messages.overfull, messages.bytes, messages.size]).toEqual([false, 2, 1]);
  });

  it('do not declare what was lost on the way to them', () => {
    const messages = waiting();
    messages.push(messageOf(1, { slot: 'a' }));
    messages.push(messageOf(2, { slot: 'a' }));
    messages.push(messageOf(4, { slot: 'a' }));
    messages.push(messageOf(5));
    // 4 follows on 3, which nobody has: the gap shows by its `prev`.
    expect(drain(messages)).toEqual([4, 5]);
  });

  it('declare nothing where the log has no more', () => {
    const messages = waiting();
    messages.push(messageOf(3, { prev: 0 }));
    messages.push(messageOf(7, { prev: 3 }));
    expect(drain(messages)).toEqual([3, 7]);
  });
});

/** Reads what goes out by the rules of PROTOCOL §5.16 and §5.23. */
class Reader {
  readonly had: number[] = [];
  readonly declared: number[] = [];
  position = 0;
  /** It has seen a gap, and would subscribe again. */
  lost = false;

  take({ message: { offset, prev }, skipped }: Departure): void {
    if (this.lost) return;
    if (skipped !== null) {
      expect(skipped.from).toBe(this.position + 1);
      expect(skipped.to).toBeGreaterThanOrEqual(skipped.from);
      for (let at = skipped.from; at <= skipped.to; at += 1) this.declared.push(at);
      this.position = skipped.to;
    }
    if (prev > this.position) {
      this.lost = true;
      return;
    }
    expect(offset).toBeGreaterThan(this.position);
    this.had.push(offset);
    this.position = offset;
  }
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      slot: fc.integer({ min: 0, max: 5 }),
      size: fc.integer({ min: 1, max: 40 }),
      hole: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const) }) },
);

describe.each([
  { losses: false, drops: false },
  { losses: false, drops: true },
  { losses: true, drops: true },
])('whatever arrives and drains (lost on the way: $losses, dropped: $drops)', ({ losses, drops }) => {
  it('the reader sees rising offsets and each gap declared once, and what waits is bounded', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const bounds = { messagesMax: 8, bytesMax: 150 };
        const messages = new WaitingMessages(0, bounds);
        const reader = new Reader();
        const pushed: number[] = [];
        const lost: number[] = [];
        const newest = new Map<string, number>();
        let offset = 0;
        const shift = (): boolean => {
          const departure = messages.shift();
          if (departure === null) return false;
          const { slot } = departure.message;
          if (slot !== null) expect(newest.get(slot)).toBe(departure.message.offset);
          reader.take(departure);
          return true;
        };
        for (const next of steps) {
          if (next.do === 'shift') for (let i = 0; i < next.count; i += 1) shift();
          else if (next.do === 'lose') {
            if (!losses) continue;
            offset += 1;
            lost.push(offset);
          } else {
            const prev = offset;
            offset += 1 + next.hole;
            const slot = next.slot > 3 ? null : `s${next.slot}`;
            if (slot !== null) newest.set(slot, offset);
            messages.push(messageOf(offset, { prev, slot, size: next.size }));
            pushed.push(offset);
            while (messages.overfull) {
              // As a channel does that may not drop.
              if (drops) messages.dropOldest();
              else shift();
            }
            expect(messages.size).toBeLessThanOrEqual(bounds.messagesMax);
            if (messages.size > 1) expect(messages.bytes).toBeLessThanOrEqual(bounds.bytesMax);
          }
        }
        while (shift());
        expect(messages.bytes).toBe(0);
        expect(new Set(reader.declared).size).toBe(reader.declared.length);
        expect(reader.declared.filter((at) => lost.includes(at))).toEqual([]);
        expect(reader.lost).toBe(lost.some((at) => at < (pushed.at(-1) ?? 0)));
        if (reader.lost) return;
        const accounted = new Set([...reader.had, ...reader.declared]);
        expect(pushed.filter((at) => !accounted.has(at))).toEqual([]);
        expect(reader.had.length + reader.declared.length).toBe(accounted.size);
        if (!drops) expect([...newest.values()].filter((at) => !reader.had.includes(at))).toEqual([]);
      }),
      { numRuns: 2_000, seed: 20_240_601 },
    );
  });
});
