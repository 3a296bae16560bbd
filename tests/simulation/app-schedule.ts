/** One seeded run of the application world. */
import { Random } from '@runnel/protocol/testing';
import { healApp } from './app-healing.ts';
import { AppWorld } from './app-world.ts';
import { disturb } from './faults.ts';
import type { ScheduleResult } from './schedule.ts';
import { WorldRun } from './world-run.ts';

/** Runs the schedule of `seed`; rejects with a `Violation`. */
export async function runAppSchedule(
  seed: number,
  onWorld: (world: AppWorld) => void = () => {},
  hashed = false,
): Promise<ScheduleResult> {
  const random = new Random(seed);
  const world = new AppWorld(random, hashed);
  onWorld(world);
  const running = new WorldRun(world);
  const faults = random.int(0, 25);
  const busy = random.pick([1, 3, 10]);
  await running.provoke(random, faults, {
    act: () => world.traffic.act(random.int(1, busy)),
    disturb: () => disturb(world, { faults: END_FAULTS, network: 0.7, befall: (fault) => befall(world, fault) }),
  });
  const liveness = random.chance(0.7);
  world.coverage.saw(liveness ? 'liveness schedule' : 'safety schedule');
  if (liveness) await healApp(world, running.run);
  // What has failed once and is sent again after a restart runs after others.
  const { counts } = world.coverage;
  if (!counts.has('handler failure') && !counts.has('broker failure')) world.record.truth.checkOrder();
  return { events: running.events, coverage: world.coverage.counts, hash: world.log.hash };
}

const END_FAULTS = [
  'restart',
  'restart with the log',
  'restart with the log',
  'kick',
  'die',
  'join',
  'join',
  'broker',
  'broker',
  'broker',
] as const;

/** Has a fault of an end happen; false: it cannot, as things are. */
function befall(world: AppWorld, fault: (typeof END_FAULTS)[number]): boolean {
  const { random, parties } = world;
  switch (fault) {
    case 'join':
      return parties.join();
    case 'kick':
      return world.kick();
    case 'die':
      if (parties.living.length === 0) return false;
      random.pick(parties.living).die();
      return true;
    case 'broker':
      world.brokers.shake();
      return true;
    default:
      world.restart(fault === 'restart with the log');
      return true;
  }
}
