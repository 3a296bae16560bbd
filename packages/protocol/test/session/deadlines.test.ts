import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../src/session/deadlines.ts';

const owner = (at: number) => ({
  at,
  scheduledAt: Number.POSITIVE_INFINITY,
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
});
