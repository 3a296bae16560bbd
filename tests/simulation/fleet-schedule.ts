/** Seeded runs of the fleet world. */
import { healApp } from './app-healing.ts';
import { befall, type ClusterFault } from './cluster-faults.ts';
import { disturb } from './faults.ts';
import { FleetWorld } from './fleet-world.ts';
import type { SchedulePlan } from './world-run.ts';

const FAULTS = ['kill', 'drain', 'start', 'start', 'cut off', 'post', 'post', 'broker', 'join', 'die'] as const;

export const FLEET_SCHEDULE: SchedulePlan<FleetWorld> = {
  create: (random, hashed) => new FleetWorld(random, hashed),
  faultsMax: 20,
  busy: [1, 3, 10],
  act: (world, count) => world.traffic.act(count),
  disturb: (world) => disturb(world, { faults: FAULTS, network: 0.55, befall: (fault) => befallFleet(world, fault) }),
  heal: healApp,
  finish: (world) => world.record.checkOrder(),
};

function befallFleet(world: FleetWorld, fault: ClusterFault | 'broker'): boolean {
  if (fault !== 'broker') return befall(world, fault);
  world.brokers.shake();
  return true;
}
