/** What can go wrong with a network and with the clients on it, in either world. */

import { type Identity, type Line, TRANSPORTS, type Transport } from '@runnel/protocol';
import {
  FAIR,
  type Random,
  type VirtualClient,
  type VirtualNetwork,
  type VirtualServer,
  type VirtualTime,
  type Weather,
} from '@runnel/protocol/testing';
import type { Coverage, CoveredEvent } from './coverage.ts';
import type { EventLog } from './event-log.ts';

/** The part of a world that faults act on. */
export interface Stage<L extends Line = Line, I extends Identity = Identity> {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: VirtualNetwork;
  readonly server: Pick<VirtualServer<L, I>, 'ports' | 'limits'>;
  readonly coverage: Coverage;
  readonly log: EventLog;
  readonly parties: { readonly clients: readonly VirtualClient[] };
}

const NETWORK_FAULTS = [
  'cut',
  'cut',
  'cut all',
  'stall',
  'stall',
  'mute',
  'mute',
  'vanish',
  'congest',
  'weather',
  'weather',
  'weather',
  'fair',
  'fair',
  'flap',
  'block websocket',
  'scarcity',
  'scarcity',
  'use',
  'use',
  'wake',
  'sleep',
  'expire',
] as const;

/** Networks that have healed: what was still to befall them does not. */
const healed = new WeakSet<VirtualNetwork>();

export interface EndFaults<F extends CoveredEvent> {
  /** Each as often as it is to be likely. */
  readonly faults: readonly F[];
  /** The probability that the network has a fault instead. */
  readonly network: number;
  /** Has one happen; false: it cannot, as things are. */
  readonly befall: (fault: F) => boolean;
}

/** One random fault, of the network or of an end. */
export function disturb<L extends Line, I extends Identity, F extends CoveredEvent>(
  stage: Stage<L, I>,
  { faults, network, befall }: EndFaults<F>,
): void {
  const { random, log, coverage } = stage;
  const fault = random.chance(network) ? null : random.pick(faults);
  if (fault === null) return disturbNetwork(stage);
  log.add('world', fault);
  if (befall(fault)) coverage.saw(fault);
}

/** One random fault of the network, or the end of one. */
function disturbNetwork<L extends Line, I extends Identity>(stage: Stage<L, I>): void {
  const { network, time, random, coverage, log, server } = stage;
  const some = [...network.connections].filter(() => random.chance(0.5));
  const fault = random.pick(NETWORK_FAULTS);
  log.add('world', fault);
  const done = (happened: boolean): void => {
    if (happened) coverage.saw(fault as CoveredEvent);
  };
  switch (fault) {
    case 'cut':
      for (const connection of some) connection.cut();
      return done(some.length > 0);
    case 'cut all':
      done(network.connections.size > 0);
      return network.cutAll();
    case 'stall':
      for (const { up, down } of some) {
        const pipe = random.pick([up, down]);
        pipe.stall();
        time.after(random.int(10, 20_000), () => pipe.release());
      }
      return done(some.length > 0);
    case 'mute':
      for (const { up, down } of some) random.pick([up, down]).mute();
      return done(some.length > 0);
    case 'vanish':
      done(network.connections.size > 0);
      return network.vanish();
    case 'congest': {
      const ports = [...server.ports].filter(() => random.chance(0.7));
      for (const port of ports) {
        port.congest();
        time.after(random.int(10, 15_000), () => port.drain());
      }
      return done(ports.length > 0);
    }
    case 'weather':
      Object.assign(network.weather, {
        websocket: random.pick(['open', 'open', 'refused', 'hangs', 'dead', 'deaf']),
        stream: random.pick(['open', 'open', 'buffered']),
        http: random.pick(['open', 'open', 'open', 'refused', 'hangs', 'portal']),
        post: random.pick(['open', 'open', 'open', 'swallowed']),
        answerMs: random.pick([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 100, 1_500, 6_000]),
        connectionSize: random.pick([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 3_000, 20_000]),
        repeat: random.pick([0, 0, 0.3]),
        retry: random.pick([0, 0, 0.3]),
        replay: random.pick([0, 0, 0.3]),
        loseRequest: random.pick([0, 0, 0.3]),
        loseAnswer: random.pick([0, 0, 0.3]),
        truncate: random.pick([0, 0, 0.3]),
        stale: random.pick([0, 0, 0.1]),
      });
      return;
    case 'fair':
      return fair(network);
    case 'flap': {
      // Up and down again, every few hundred milliseconds or seconds.
      const periodMs = random.pick([300, 1_000, 4_000]);
      const down = random.pick(['refused', 'hangs'] as const);
      for (let i = 0; i < 10; i += 1) {
        time.after((i + random.next()) * periodMs, () => {
          if (healed.has(network)) return;
          const { weather } = network;
          weather.http = weather.http === 'open' ? down : 'open';
          if (weather.http === 'hangs') network.vanish();
          else if (weather.http === 'refused') network.cutAll();
        });
      }
      return done(true);
    }
    case 'block websocket': {
      const sockets = [...network.connections].filter(({ kind }) => kind === 'websocket');
      for (const socket of sockets) socket.cut();
      network.weather.websocket = random.pick(['refused', 'hangs', 'dead', 'deaf']);
      time.after(random.int(100, 60_000), () => {
        network.weather.websocket = 'open';
      });
      return done(sockets.length > 0);
    }
  }
  const { clients } = stage.parties;
  const client = clients.length === 0 ? null : random.pick(clients);
  if (client === null) return;
  done(true);
  switch (fault) {
    case 'use': {
      const transport: Transport | 'auto' = random.pick([...TRANSPORTS, 'auto', 'auto']);
      return client.input((session, now) => session.use(transport, now));
    }
    case 'wake':
      return client.input((session, now) => session.wake(now));
    case 'scarcity': {
      const scarce = random.chance(0.6);
      return client.input((session, now) => session.handleScarcity(scarce, now));
    }
    case 'sleep':
      client.freeze();
      time.after(random.pick([3_000, 20_000, 60_000, 200_000, 600_000]), () => client.thaw());
      return;
    case 'expire':
      // Nothing gets through for longer than a session lives.
      for (const { up, down } of network.connections) {
        up.stall();
        down.stall();
        time.after(server.limits.ttlMs + 40_000, () => {
          up.release();
          down.release();
        });
      }
  }
}

/** Fair, with a delay that differs by network: about one of `slowMs`. */
export function fairWeather(random: Random, slowMs: readonly number[]): Weather {
  const ms = random.pick(slowMs);
  return { ...FAIR, delay: () => ms * (0.5 + random.next()) };
}

function fair(network: VirtualNetwork): void {
  Object.assign(network.weather, FAIR);
}

/** All faults are over. What was muted stays silent: nobody has told either end. */
export function healNetwork<L extends Line, I extends Identity>(stage: Stage<L, I>): void {
  fair(stage.network);
  healed.add(stage.network);
  for (const { up, down } of stage.network.connections) {
    up.release();
    down.release();
  }
  for (const port of stage.server.ports) port.drain();
  for (const client of stage.parties.clients) {
    client.thaw();
    client.input((session, now) => {
      session.handleScarcity(false, now);
      session.use('auto', now);
    });
  }
  stage.log.add('world', 'healed');
  stage.coverage.saw('healed');
}
