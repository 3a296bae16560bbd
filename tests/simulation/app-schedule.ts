/** One seeded run of the application world. */
import { Random } from '@runnel/protocol/testing';
import { healApp } from './app-healing.ts';
import { AppWorld } from './app-world.ts';
import { disturbNetwork } from './faults.ts';
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
  await running.provoke(random, faults, { act: () => world.act(random.int(1, busy)), disturb: () => disturb(world) });
  const liveness = random.chance(0.7);
  world.coverage.saw(liveness ? 'liveness schedule' : 'safety schedule');
  if (liveness) await healApp(world, running.run);
  // What has failed once and is sent again after a restart runs after others.
  const { counts } = world.coverage;
  if (!counts.has('handler failure') && !counts.has('broker failure')) world.truth.checkOrder();
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

function disturb(world: AppWorld): void {
  const { random } = world;
  const fault = random.chance(0.7) ? null : random.pick(END_FAULTS);
  if (fault === null) return disturbNetwork(world);
  world.log.add('world', fault);
  if (fault === 'join') return world.join();
  if (fault === 'broker') return world.shakeBroker();
  if (fault === 'kick') {
    if (!world.kick()) return;
  } else if (fault === 'die') {
    if (world.living.length === 0) return;
    world.die(random.pick(world.living));
  } else world.restart(fault === 'restart with the log');
  world.coverage.saw(fault);
}
