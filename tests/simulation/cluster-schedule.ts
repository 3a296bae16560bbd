/** Seeded runs of the cluster world. */
import { befall } from './cluster-faults.ts';
import { ClusterWorld } from './cluster-world.ts';
import { disturb, healNetwork } from './faults.ts';
import { check } from './violation.ts';
import type { Run, SchedulePlan } from './world-run.ts';

/** How long after healing all must have arrived, ms. */
const HEAL_MS = 90_000;
/** Estates are kept for a minute, and sessions without a client for their time to live. */
const CALM_MS = 200_000;

const FAULTS = ['kill', 'kill', 'drain', 'start', 'start', 'cut off', 'post', 'post', 'join', 'die'] as const;

export const CLUSTER_SCHEDULE: SchedulePlan<ClusterWorld> = {
  create: (random, hashed) => new ClusterWorld(random, hashed),
  faultsMax: 25,
  busy: [1, 3, 20],
  act: (world, count) => world.send(count),
  disturb: (world) => disturb(world, { faults: FAULTS, network: 0.55, befall: (fault) => befall(world, fault) }),
  heal,
};

async function heal(world: ClusterWorld, run: Run): Promise<void> {
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
