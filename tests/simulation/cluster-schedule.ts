/** One seeded run of the cluster world. */
import { Random } from '@runnel/protocol/testing';
import { befall } from './cluster-faults.ts';
import { ClusterWorld } from './cluster-world.ts';
import { disturb, healNetwork } from './faults.ts';
import type { ScheduleResult } from './schedule.ts';
import { check } from './violation.ts';
import { WorldRun } from './world-run.ts';

/** How long after healing all must have arrived, ms. */
const HEAL_MS = 90_000;
/** Estates are kept for a minute, and sessions without a client for their time to live. */
const CALM_MS = 200_000;

/** Runs the schedule of `seed`; rejects with a `Violation`. */
export async function runClusterSchedule(
  seed: number,
  onWorld: (world: ClusterWorld) => void = () => {},
  hashed = false,
): Promise<ScheduleResult> {
  const random = new Random(seed);
  const world = new ClusterWorld(random, hashed);
  onWorld(world);
  const running = new WorldRun(world);
  const faults = random.int(0, 25);
  const busy = random.pick([1, 3, 20]);
  await running.provoke(random, faults, {
    act: () => world.send(random.int(1, busy)),
    disturb: () => disturb(world, { faults: FAULTS, network: 0.55, befall: (fault) => befall(world, fault) }),
  });
  const liveness = random.chance(0.7);
  world.coverage.saw(liveness ? 'liveness schedule' : 'safety schedule');
  if (liveness) await heal(world, running.run);
  return { events: running.events, coverage: world.coverage.counts, hash: world.log.hash };
}

const FAULTS = ['kill', 'kill', 'drain', 'start', 'start', 'cut off', 'post', 'post', 'join', 'die'] as const;

async function heal(world: ClusterWorld, run: (ms: number, until?: () => boolean) => Promise<boolean>): Promise<void> {
  if (world.parties.living.length === 0) world.parties.join();
  world.nodes.heal();
  healNetwork(world);
  const settled = (): boolean => world.parties.living.every((party) => party.settled);
  check(await run(HEAL_MS, settled), 11, () => `not all has arrived ${HEAL_MS} ms after healing`);
  world.sendAll();
  check(await run(HEAL_MS, settled), 11, () => 'what was sent after healing has not arrived');
  await run(CALM_MS);
  // The best transport may have been found again only just now, at another node.
  const tidy = await run(CALM_MS, () => world.nodes.leftovers === 0);
  check(tidy, 13, () => `${world.nodes.leftovers} estates and questions are left`);
  check(world.strayed === 0, 8, () => `${world.strayed} frames were not relayed`);
  const sessions = [...world.nodes.sessions()].length;
  const parties = world.parties.living.length;
  check(sessions === parties, 13, () => `${sessions} sessions are left for ${parties} clients`);
}
