/** One seeded run of the session world: random traffic under random faults, then, for a liveness schedule, everything heals. */
import { Random } from '@runnel/protocol/testing';
import { type Transport, TRANSPORTS } from '@runnel/protocol';
import { check } from './ledger-checker.ts';
import { SessionWorld } from './session-world.ts';

export interface ScheduleResult {
  readonly seed: number;
  /** Events that were run. */
  readonly events: number;
  readonly losses: number;
  readonly attaches: number;
}

/** How long after healing all must have arrived, ms: the longest back-off, the longest patience, and a margin. */
const HEAL_MS = 90_000;
/** How long until the best transport is in use again: the longest probe pause and its jitter, and a probe. */
const CLIMB_MS = 330_000;

/** Runs the schedule of `seed`. Throws a `Violation`; `world` is given out first so that a failure can be told. */
export function runSchedule(seed: number, onWorld: (world: SessionWorld) => void = () => {}): ScheduleResult {
  const random = new Random(seed);
  const world = new SessionWorld(random);
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
  const faults = random.int(0, 60);
  const busy = random.pick([5, 40, 400]);
  for (let i = 0; i < faults; i += 1) {
    const pause = random.pick([1, 20, 200, 2_000, 15_000]) * random.next();
    const bursts = random.int(0, busy > 100 ? 6 : 3);
    for (let burst = 0; burst < bursts; burst += 1) {
      send(world, random, random.int(1, busy));
      run(pause / (bursts + 1));
    }
    run(pause / (bursts + 1));
    disturb(world, random);
  }
  const liveness = random.chance(0.7);
  if (liveness) heal(world, run);
  return { seed, events, losses: world.losses, attaches: world.attachTimes.length };
}

function send(world: SessionWorld, random: Random, count: number): void {
  for (let i = 0; i < count; i += 1) {
    const kind = random.next();
    if (kind < 0.45) world.sendUp();
    else if (kind < 0.9) world.sendDown();
    else world.sendVolatiles();
  }
}

/** One random fault, or the end of one. */
function disturb(world: SessionWorld, random: Random): void {
  const { network, client, time } = world;
  const { weather } = network;
  const some = [...network.connections].filter(() => random.chance(0.5));
  const fault = random.pick(FAULTS);
  world.log.push(`${time.now} ${fault}`);
  switch (fault) {
    case 'cut':
      for (const connection of some) connection.cut();
      return;
    case 'cut all':
      return network.cutAll();
    case 'stall':
      for (const { up, down } of some) {
        const pipe = random.pick([up, down]);
        pipe.stall();
        time.after(random.int(10, 20_000), () => pipe.release());
      }
      return;
    case 'mute':
      for (const { up, down } of some) random.pick([up, down]).mute();
      return;
    case 'vanish':
      for (const { up, down } of network.connections) {
        up.mute();
        down.mute();
      }
      return;
    case 'weather':
      weather.websocket = random.pick(['open', 'open', 'refused', 'hangs', 'dead']);
      weather.stream = random.pick(['open', 'open', 'buffered']);
      weather.http = random.pick(['open', 'open', 'open', 'refused', 'hangs']);
      weather.repeat = random.pick([0, 0, 0.3]);
      weather.replay = random.pick([0, 0, 0.3]);
      weather.loseRequest = random.pick([0, 0, 0.3]);
      weather.loseAnswer = random.pick([0, 0, 0.3]);
      weather.truncate = random.pick([0, 0, 0.3]);
      return;
    case 'fair':
      return fair(world);
    case 'use': {
      const transport: Transport | 'auto' = random.pick([...TRANSPORTS, 'auto', 'auto']);
      return client.input((session, now) => session.use(transport, now));
    }
    case 'wake':
      return client.input((session, now) => session.wake(now));
    case 'restart':
      return world.restart();
    case 'sleep':
      // Everything is gone for longer than the session lives.
      for (const { up, down } of network.connections) {
        up.stall();
        down.stall();
        time.after(world.server.limits.ttlMs + 40_000, () => {
          up.release();
          down.release();
        });
      }
  }
}

const FAULTS = [
  'cut', 'cut', 'cut all', 'stall', 'stall', 'mute', 'mute', 'vanish', 'weather', 'weather', 'weather', 'fair', 'fair', 'use', 'use', 'wake', 'restart', 'sleep',
] as const;

function fair(world: SessionWorld): void {
  Object.assign(world.network.weather, {
    websocket: 'open', stream: 'open', http: 'open', repeat: 0, replay: 0, loseRequest: 0, loseAnswer: 0, truncate: 0,
  });
}

/** Invariants 11 and 12: when all heals, all arrives, the best transport is found again, and it stays quiet. */
function heal(world: SessionWorld, run: (ms: number, until?: () => boolean) => boolean): void {
  const { client, network } = world;
  fair(world);
  for (const { up, down } of network.connections) {
    up.release();
    down.release();
  }
  client.input((session, now) => session.use('auto', now));
  world.log.push(`${world.time.now} healed`);
  const healedAt = world.time.now;
  check(run(HEAL_MS, () => client.session.ready && client.session.transport !== null && world.settled), 11, () => `not all has arrived ${HEAL_MS} ms after healing`);
  world.sendUp();
  world.sendDown();
  check(run(HEAL_MS, () => world.settled), 11, () => 'what was sent after healing has not arrived');
  const best = world.transports.includes('websocket') ? 'websocket' : world.transports.includes('stream') ? 'stream' : 'poll';
  check(run(CLIMB_MS, () => client.session.transport === best), 11, () => `${best} was not found again (${client.session.transport})`);
  run(60_000);
  const quietSince = world.time.now;
  run(120_000);
  const late = world.attachTimes.filter((at) => at > quietSince).length;
  check(late <= 1, 12, () => `${late} attaches in two quiet minutes`);
  check(client.session.transport === best, 11, () => `${best} was left again`);
  const { registry } = world.server;
  check(registry.size === 1, 13, () => `${registry.size} sessions are left`);
  check(registry.linkCount <= 1, 13, () => `${registry.linkCount} links are left`);
  const perMinute = world.attachTimes.filter((at) => at > healedAt).length;
  check(perMinute <= 60, 12, () => `${perMinute} attaches since healing`);
}
