/** One seeded run of the fleet world. */
import { Random } from '@runnel/protocol/testing';
import { healApp } from './app-healing.ts';
import { befall } from './cluster-faults.ts';
import { disturb } from './faults.ts';
import { FleetWorld } from './fleet-world.ts';
import type { ScheduleResult } from './schedule.ts';
import { WorldRun } from './world-run.ts';

/** Runs the schedule of `seed`; rejects with a `Violation`. */
export async function runFleetSchedule(
  seed: number,
  onWorld: (world: FleetWorld) => void = () => {},
  hashed = false,
): Promise<ScheduleResult> {
  const random = new Random(seed);
  const world = new FleetWorld(random, hashed);
  onWorld(world);
  const running = new WorldRun(world);
  const faults = random.int(0, 20);
  const busy = random.pick([1, 3, 10]);
  await running.provoke(random, faults, {
    act: () => world.traffic.act(random.int(1, busy)),
    disturb: () =>
      disturb(world, {
        faults: FAULTS,
        network: 0.55,
        befall: (fault) => {
          if (fault !== 'broker') return befall(world, fault);
          world.brokers.shake();
          return true;
        },
      }),
  });
  const liveness = random.chance(0.7);
  world.coverage.saw(liveness ? 'liveness schedule' : 'safety schedule');
  if (liveness) await healApp(world, running.run);
  const { counts } = world.coverage;
  // What has failed once, or ran where the session was lost, is sent again after others.
  if (!counts.has('handler failure') && !counts.has('broker failure')) world.record.truth.checkOrder();
  return { events: running.events, coverage: world.coverage.counts, hash: world.log.hash };
}

const FAULTS = ['kill', 'drain', 'start', 'start', 'cut off', 'post', 'post', 'broker', 'join', 'die'] as const;
