import { expect, it } from 'vitest';
import { Pace } from '../src/pace.ts';

it('keeps its rate exactly, however the clock is read', () => {
  const pace = new Pace({ perSecond: 300, burstMax: 1_000, now: 0 });
  let due = 0;
  for (let now = 0; now <= 1_000; now += 7) due += pace.due(now);
  due += pace.due(1_000);
  expect(due).toBe(300);
});

it('makes nothing due while no time passes, or where the clock goes back', () => {
  const pace = new Pace({ perSecond: 1_000, burstMax: 100, now: 50 });
  expect(pace.due(50)).toBe(0);
  expect(pace.due(40)).toBe(0);
});

it('does not make up for a pause: what is due at once is bounded', () => {
  const pace = new Pace({ perSecond: 1_000, burstMax: 200, now: 0 });
  expect(pace.due(60_000)).toBe(200);
  expect(pace.due(60_010)).toBeLessThanOrEqual(11);
});
