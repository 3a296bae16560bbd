import { expect, it } from 'vitest';
import { type Duration, parseDurationMs } from '../../src/contract/index.ts';

it.each<[Duration, number]>([
  [1, 1],
  [3_600_000, 3_600_000],
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5s', 1_500],
  ['1.001s', 1_001],
  ['364.123d', 31_460_227_200],
  ['0.001s', 1],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
])('reads %s as %d ms', (duration, ms) => {
  expect(parseDurationMs(duration)).toBe(ms);
});

it.each([
  [0],
  [-1],
  [1.5],
  [Number.NaN],
  [Number.POSITIVE_INFINITY],
  [undefined],
  [null],
  [{}],
  [''],
  ['1'],
  ['h'],
  ['0s'],
  ['-1s'],
  ['1 h'],
  ['1H'],
  ['1e3s'],
  ['0.5ms'],
  ['1h30m'],
  [`${'9'.repeat(16)}d`],
  ['9'.repeat(100_000)],
])('refuses %s', (duration) => {
  const read = () => parseDurationMs(duration as Duration);
  expect(read).toThrow(expect.objectContaining({ code: 'contract_invalid' }));
  expect(read).toThrow(/is not a duration: give whole milliseconds above 0, or a number and ms, s, m, h or d/);
});
