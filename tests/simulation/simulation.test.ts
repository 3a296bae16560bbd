import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { APP_EVENTS, CLUSTER_EVENTS, type CoveredEvent, FLEET_EVENTS, SESSION_EVENTS } from './coverage.ts';
import { MUTATIONS } from './mutations.ts';
import { accountOf, runBatch, runSeed, type WorldName } from './runner.ts';

/** Schedules of the session and the application world together, of which a quarter is of the latter; as many of the cluster world, and a quarter of that of the fleet world. */
const SEEDS = Number(process.env['RUNNEL_SEEDS'] ?? 2_000);
/** Fewer are too few to have seen everything; rare things need more than common ones. */
const SEEDS_FOR_COVERAGE = 1_500;
/** What even a hundred schedules see. */
const COMMON: readonly CoveredEvent[] = ['safety schedule', 'liveness schedule', 'cut', 'stall', 'mute', 'healed'];

const PLANS: readonly { world: WorldName; count: number; from: number; events: readonly CoveredEvent[] }[] = [
  { world: 'session', count: Math.ceil(SEEDS * 0.75), from: 1, events: SESSION_EVENTS },
  { world: 'app', count: Math.floor(SEEDS * 0.25), from: 1, events: APP_EVENTS },
  { world: 'cluster', count: SEEDS, from: 1, events: CLUSTER_EVENTS },
  { world: 'fleet', count: Math.floor(SEEDS * 0.25), from: 1, events: FLEET_EVENTS },
];

describe.each(PLANS)('the $world world', ({ world, count, from, events }) => {
  it(`holds every invariant in ${count} schedules, and they saw what they are for`, { timeout: 600_000 }, async () => {
    expect(count).toBeGreaterThan(0);
    const startedAt = performance.now();
    const result = await runBatch({ from, count, world });
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(
      `${world}: ${(result.done / seconds).toFixed(0)} schedules per second, ${Math.round(result.events / count)} events each`,
    );
    if (result.failure !== null) throw new Error(accountOf(result.failure));
    expect(result.done).toBe(count);
    expect(result.coverage.missing(SEEDS >= SEEDS_FOR_COVERAGE ? events : COMMON)).toEqual([]);
  });

  it('is the same in every run of a seed', { timeout: 60_000 }, async () => {
    for (let seed = 11; seed < 16; seed += 1) {
      const [first, second] = [
        await runSeed(seed, { world, hashed: true }),
        await runSeed(seed, { world, hashed: true }),
      ];
      expect(first.hash).toMatch(/^[0-9a-f]{8}$/);
      expect({ hash: second.hash, events: second.events }).toEqual({ hash: first.hash, events: first.events });
    }
  });
});

describe('the mutations', () => {
  it.each(MUTATIONS)('$rule: $breaks: its place is found once', async ({ file, find }) => {
    const source = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
    expect(source.split(find)).toHaveLength(2);
  });
});
