import { expect, it } from 'vitest';
import { runChaos } from './chaos.ts';

it('loses, repeats and reorders nothing while nodes die, go and are cut off', async () => {
  const { deliveries, recoveryMs, unknown, ...wrong } = await runChaos({
    clients: 60,
    follows: 3,
    troubles: ['kill', 'drain', 'cut', 'kill'],
    everyMs: 4_000,
  });
  const { messages, ...faults } = wrong;
  expect(faults).toEqual({ lost: 0, repeated: 0, disordered: 0, gaps: 0, failed: 0 });
  expect(messages).toBeGreaterThan(2_000);
  expect(deliveries).toBe(messages * 9);
  expect(recoveryMs.length).toBeGreaterThan(0);
}, 120_000);
