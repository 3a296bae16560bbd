/** One seeded run of the session world: random traffic under random faults, then, for a liveness schedule, everything heals. */
import { Random } from '@runnel/protocol/testing';
import type { CoveredEvent } from './coverage.ts';
import { disturb, healNetwork } from './faults.ts';
import { SessionWorld } from './session-world.ts';
import { check } from './violation.ts';

export interface ScheduleResult {
  /** Events that were run. */
  readonly events: number;
  readonly coverage: ReadonlyMap<CoveredEvent, number>;
  /** Of everything that was logged; empty unless asked for. */
  readonly hash: string;
}

/** How long after healing all must have arrived, ms: the longest back-off, the longest patience, and a margin. */
const HEAL_MS = 90_000;
/** How long until the best transport is in use again: the longest probe pause and its jitter, and a probe. */
const CLIMB_MS = 330_000;
/** After a quiet minute come two in which next to nothing may be attached. By then every session without a client is gone. */
const CALM_MS = 60_000;
const QUIET_MS = 120_000;

/** Invariant 12: attaches of one client within a minute, whatever befalls it; and after healing. */
const ATTACHES_MAX = 100;
const HEALED_ATTACHES_MAX = 20;

/** Runs the schedule of `seed`. Throws a `Violation`; `onWorld` is given the world first so that a failure can be told. */
export function runSchedule(
  seed: number,
  onWorld: (world: SessionWorld) => void = () => {},
  hashed = false,
): ScheduleResult {
  const random = new Random(seed);
  const world = new SessionWorld(random, hashed);
  onWorld(world);
  let events = 0;
  const run = (ms: number, until: () => boolean = () => false): boolean => {
    const end = world.time.now + ms;
    while (!until()) {
      if (!world.time.step(end)) return until();
      events += 1;
      world.check();
    }
    return true;
  };
  const faults = random.int(0, 40);
  const busy = random.pick([3, 20, 20, 150]);
  for (let i = 0; i < faults; i += 1) {
    const pause = random.pick([1, 20, 200, 2_000, 15_000]) * random.next();
    const bursts = random.int(0, 3);
    for (let burst = 0; burst < bursts; burst += 1) {
      world.send(random.int(1, busy));
      run(pause / (bursts + 1));
    }
    run(pause / (bursts + 1));
    disturb(world, { faults: END_FAULTS, network: 0.75, befall: (fault) => befall(world, fault) });
  }
  const liveness = random.chance(0.7);
  world.coverage.saw(liveness ? 'liveness schedule' : 'safety schedule');
  if (liveness) heal(world, run);
  for (const { wire, name } of world.parties.all) {
    const most = wire.busiestMinute(0);
    check(most <= ATTACHES_MAX, 12, () => `${name} attached ${most} times within a minute`);
  }
  return { events, coverage: world.coverage.counts, hash: world.log.hash };
}

const END_FAULTS = [
  'restart',
  'kick',
  'close',
  'die',
  'join',
  'join',
  'join',
  'identity',
  'credentials',
  'twin',
  'gap',
  'gap',
  'late poll',
  'late poll',
] as const;

/** Has a fault of an end happen; false: it cannot, as things are. */
function befall(world: SessionWorld, fault: (typeof END_FAULTS)[number]): boolean {
  const party = world.parties.living.length === 0 ? null : world.random.pick(world.parties.living);
  if (fault === 'join') return world.parties.join();
  if (fault === 'restart') world.restart();
  else if (party === null) return false;
  else if (fault === 'close') world.close(party);
  else if (fault === 'die') party.die();
  else {
    const acts = {
      kick: () => world.kick(),
      identity: () => world.changeIdentity(party),
      credentials: () => world.expireCredentials(party),
      twin: () => world.twin(party),
      gap: () => world.gap(party),
      'late poll': () => world.latePoll(party),
    };
    return acts[fault]();
  }
  return true;
}

/** Invariants 11 to 13: when all heals, all arrives, the best transport is found again, it stays quiet, and nothing is left over. */
function heal(world: SessionWorld, run: (ms: number, until?: () => boolean) => boolean): void {
  if (world.parties.living.length === 0) world.parties.join();
  healNetwork(world);
  const healedAt = world.time.now;
  const settled = (): boolean => world.parties.living.every((party) => party.settled);
  check(run(HEAL_MS, settled), 11, () => `not all has arrived ${HEAL_MS} ms after healing`);
  world.sendAll();
  check(run(HEAL_MS, settled), 11, () => 'what was sent after healing has not arrived');
  const { transports } = world;
  const best = transports.includes('websocket') ? 'websocket' : transports.includes('stream') ? 'stream' : 'poll';
  const climbed = (): boolean => world.parties.living.every(({ client }) => client.session.transport === best);
  check(run(CLIMB_MS, climbed), 11, () => `${best} was not found again`);
  run(CALM_MS);
  const quietSince = world.time.now;
  run(QUIET_MS);
  check(climbed(), 11, () => `${best} was left again`);
  for (const { wire, name } of world.parties.living) {
    const quiet = wire.attachesSince(quietSince);
    check(quiet <= 1, 12, () => `${name} attached ${quiet} times in two quiet minutes`);
    const most = wire.busiestMinute(healedAt);
    check(most <= HEALED_ATTACHES_MAX, 12, () => `${name} attached ${most} times within a minute after healing`);
  }
  const { registry } = world.server;
  const parties = world.parties.living.length;
  check(registry.size === parties, 13, () => `${registry.size} sessions are left for ${parties} clients`);
  check(registry.linkCount <= parties, 13, () => `${registry.linkCount} links are left for ${parties} clients`);
}
