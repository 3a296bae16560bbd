import { expect, it } from 'vitest';
import { demoLimits } from '../src/limits.ts';
import { randomName } from '../src/random-name.ts';

it('makes two words that a name field takes, whatever the dice say', () => {
  for (let step = 0; step < 1_000; step++) {
    const name = randomName(() => step / 1_000);
    expect(name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+$/);
    expect(name.length).toBeLessThanOrEqual(demoLimits.nameLengthMax);
  }
});

it('makes different names of different dice', () => {
  expect(randomName(() => 0)).not.toBe(randomName(() => 0.999));
});
