import { expect, it } from 'vitest';
import { elapsed, shortDuration, timeOfDay } from '../src/time-text.ts';

const noon = new Date(2_025, 2, 12, 12, 0).getTime();
const dayMs = 86_400_000;

it('says the time alone for today, with the day for this week, with the date before that', () => {
  const today = timeOfDay(noon - 3_600_000, noon);
  expect(timeOfDay(noon - dayMs - 3_600_000, noon)).toMatch(new RegExp(`^\\D+ ${today}$`));
  expect(timeOfDay(noon - 30 * dayMs - 3_600_000, noon)).toMatch(/\d+.* \d+:\d\d/);
});

it.each([
  [0, '0:00'],
  [7_900, '0:07'],
  [754_000, '12:34'],
  [3_723_000, '1:02:03'],
  [-5, '0:00'],
])('writes %d ms as %s', (durationMs, text) => {
  expect(elapsed(durationMs)).toBe(text);
});

it.each([
  [0.42, '0.4 ms'],
  [11.6, '12 ms'],
  [1_440, '1.4 s'],
])('writes a duration of %d ms as %s', (durationMs, text) => {
  expect(shortDuration(durationMs)).toBe(text);
});
