import { expect, it } from 'vitest';
import { hueOf, initials } from '../src/portrait.ts';

it.each([
  ['Quiet Heron', 'QH'],
  ['ann', 'A'],
  ['Ana María de la Cruz', 'AC'],
  ['  spaced   out  ', 'SO'],
  ['𝒜lice', '𝒜'],
  ['', ''],
])('takes the initials of %j: %j', (name, expected) => {
  expect(initials(name)).toBe(expected);
});

it('gives an id the same hue every time, on the circle', () => {
  for (const id of ['a', 'user-1', 'x'.repeat(200)]) {
    expect(hueOf(id)).toBe(hueOf(id));
    expect(hueOf(id)).toBeGreaterThanOrEqual(0);
    expect(hueOf(id)).toBeLessThan(360);
  }
});
