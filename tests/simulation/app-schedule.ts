/** Seeded runs of the application world. */
import { healApp } from './app-healing.ts';
import { AppWorld } from './app-world.ts';
import { disturb } from './faults.ts';
import type { SchedulePlan } from './world-run.ts';

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

export const APP_SCHEDULE: SchedulePlan<AppWorld> = {
  create: (random, hashed) => new AppWorld(random, hashed),
  faultsMax: 25,
  busy: [1, 3, 10],
  act: (world, count) => world.traffic.act(count),
  disturb: (world) => disturb(world, { faults: END_FAULTS, network: 0.7, befall: (fault) => befall(world, fault) }),
  heal: healApp,
  finish: (world) => world.record.checkOrder(),
};

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
