import { describe, expect, it } from 'vitest';
import { quantileOf, spreadOf } from '../src/statistics.ts';

describe('spreadOf', () => {
  it('gives median, quartiles and extremes in whatever order the values come', () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ min: 1, low: 2, median: 3, high: 4, max: 5 });
  });

  it('takes the middle of two where there is no middle one', () => {
    expect(spreadOf([10, 20])).toMatchObject({ median: 15, low: 12.5, high: 17.5 });
  });

  it('of a single value is that value', () => {
    expect(spreadOf([7])).toEqual({ min: 7, low: 7, median: 7, high: 7, max: 7 });
  });

  it('refuses to say anything of nothing', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

it('quantileOf looks up a share of the values, and leaves them as they were', () => {
  const values = Array.from({ length: 101 }, (_, i) => 100 - i);
  expect(quantileOf(values, 0.99)).toBe(99);
  expect(values[0]).toBe(100);
});
