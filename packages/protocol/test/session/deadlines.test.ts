import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../src/session/deadlines.ts';

const owner = (at: number) => ({
  at,
  place: -1,
  deadline: function () {
    return this.at;
  },
});

describe('deadlines', () => {
  it('come up in order, and only when due', () => {
    const deadlines = new Deadlines<ReturnType<typeof owner>>();
    const owners = [30, 10, 20].map(owner);
    for (const one of owners) deadlines.update(one);
    expect(deadlines.next()).toBe(10);
    expect(deadlines.takeDue(20)?.at).toBe(10);
    expect(deadlines.takeDue(20)?.at).toBe(20);
    expect(deadlines.takeDue(20)).toBeNull();
  });

  it('may move either way', () => {
    const deadlines = new Deadlines<ReturnType<typeof owner>>();
    const one = owner(10);
    deadlines.update(one);
    one.at = 50;
    deadlines.update(one);
    expect(deadlines.takeDue(10)).toBeNull();
    expect(deadlines.next()).toBe(50);
    one.at = 5;
    deadlines.update(one);
    expect(deadlines.takeDue(5)).toBe(one);
    expect(deadlines.takeDue(100)).toBeNull();
  });

  it('wake the others in order after one in their midst has gone', () => {
    const deadlines = new Deadlines<ReturnType<typeof owner>>();
    // The last takes the place of the fourth, below 100.
    const owners = [1, 100, 2, 101, 102, 60, 61, 103, 104, 105, 106, 62, 63].map(owner);
    for (const one of owners) deadlines.update(one);
    const gone = owners[3] as ReturnType<typeof owner>;
    gone.at = Number.POSITIVE_INFINITY;
    deadlines.update(gone);
    const woken = Array.from({ length: 7 }, () => deadlines.takeDue(70)?.at);
    expect(woken).toEqual([1, 2, 60, 61, 62, 63, undefined]);
    expect(deadlines.size).toBe(6);
  });

  it('wake each owner at its deadline, wherever that has moved, and hold nobody who has none', () => {
    const move = fc.tuple(fc.nat(19), fc.oneof(fc.nat(1_000), fc.constant(Number.POSITIVE_INFINITY)));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(move, { maxLength: 60 }), fc.nat(300)), { maxLength: 8 }), (phases) => {
        const deadlines = new Deadlines<ReturnType<typeof owner>>();
        const owners = Array.from({ length: 20 }, () => owner(Number.POSITIVE_INFINITY));
        let now = 0;
        for (const [moves, ms] of phases) {
          for (const [which, at] of moves) {
            const moved = owners[which] as ReturnType<typeof owner>;
            moved.at = at;
            deadlines.update(moved);
          }
          now += ms;
          const due = new Set(owners.filter(({ at }) => at <= now));
          expect(deadlines.next()).toBeLessThanOrEqual(Math.min(...owners.map(({ at }) => at)));
          for (let woken = deadlines.takeDue(now); woken !== null; woken = deadlines.takeDue(now)) {
            expect(due.delete(woken)).toBe(true);
            woken.at = Number.POSITIVE_INFINITY;
            deadlines.update(woken);
          }
          expect(due.size).toBe(0);
          expect(deadlines.size).toBe(owners.filter(({ at }) => at !== Number.POSITIVE_INFINITY).length);
        }
      }),
      { numRuns: 300 },
    );
  });
});
