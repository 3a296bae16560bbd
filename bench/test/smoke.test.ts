/** Every workload at a size that says nothing, with all that it checks. */
import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildAll } from '../src/build.ts';
import { paces } from '../src/pace.ts';
import { workloadResult } from '../src/results.ts';
import { Stage } from '../src/stage.ts';
import { workloads } from '../src/workloads/roster.ts';

/** Where the messages are counted in the page, or nothing is sent but heartbeats. */
const UNCOMPARED = new Set(['browser', 'heartbeats', 'idle', 'growth']);

beforeAll(() => {
  setMaxListeners(0);
  return buildAll(['server', 'client']);
});

describe.each(workloads)('$name', (workload) => {
  const stage = new Stage({ workload: workload.name, pace: paces.smoke, progress() {}, profileFolder: null });
  afterAll(() => stage.stop());

  it('measures everybody who takes part, and compares what they got', async () => {
    const { cases } = workloadResult(workload, await workload.run(stage), 0);
    expect(cases.length).toBeGreaterThan(0);
    for (const { name, scores, verdicts } of cases) {
      expect(scores.map(({ label }) => label).join(), name).toContain('Runnel');
      expect(
        scores.every(({ figure }) => Number.isFinite(figure.median)),
        name,
      ).toBe(true);
      expect(
        verdicts.every(({ measured }) => Number.isFinite(measured)),
        name,
      ).toBe(true);
    }
    const compared = cases.reduce((sum, of) => sum + of.compared, 0);
    if (!UNCOMPARED.has(workload.name)) expect(compared).toBeGreaterThan(0);
  });
});
