import { describe, expect, it } from 'vitest';
import { compile, compilers } from './compiler.ts';
import { clientOf, contractOf, nothing, serverOf } from './large-app.ts';

/** As many as a large app has. Each declares all there is, and has its own schemas. */
const CHANNELS = 200;

/**
 * How many types a compiler may make of generic ones for each channel: about a tenth more than it does. Of them zod alone takes some 240 to declare
 * the schemas of a channel, and some 2,000 to say what they take and give.
 */
const projects = [
  { how: 'declared', budget: 700, files: {} },
  {
    how: 'used by client and server',
    budget: 7_600,
    files: { 'client.ts': clientOf(CHANNELS), 'server.ts': serverOf(CHANNELS) },
  },
];

describe.each(compilers)('$name', (compiler) => {
  it(`checks ${CHANNELS} channels within the budget`, async () => {
    const empty = await compile(compiler, { 'nothing.ts': nothing });
    for (const { how, budget, files } of projects) {
      const app = { 'nothing.ts': nothing, 'contract.ts': contractOf(CHANNELS), ...files };
      const { errors, instantiations } = await compile(compiler, app);
      const perChannel = Math.round((instantiations - empty.instantiations) / CHANNELS);
      console.log(`${compiler.name}: ${perChannel} instantiations for each channel ${how}; the budget is ${budget}`);
      expect([...errors]).toEqual([]);
      expect(perChannel).toBeLessThanOrEqual(budget);
    }
  });
});
