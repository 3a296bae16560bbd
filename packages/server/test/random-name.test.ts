import { expect, it } from 'vitest';
import { randomName } from '../src/random-name.ts';

it('gives names of 22 characters that may stand in a key, each once, across many fillings of its pool', () => {
  const names = new Set(Array.from({ length: 10_000 }, randomName));
  expect(names.size).toBe(10_000);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{22}$/);
});
