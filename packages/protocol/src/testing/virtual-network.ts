/**
 * What stands between clients and a server, in virtual time: sockets and requests over pipes that can be slow, cut, stalled or mute, and a
 * *weather* that says what happens to new ones. Requests can be repeated, replayed later, lose their answer, or have it truncated.
 */
import type { ClientSession } from '../session/client/client-session.ts';
import type { Effect } from '../session/client/ports.ts';
import type { Random } from './random.ts';
import type { VirtualServer, VirtualSocketEnd } from './virtual-server.ts';
import { type VirtualTime, VirtualTimer } from './virtual-time.ts';
import { Pipe } from './wire-pipe.ts';

export interface Weather {
  /** One way, ms. */
  delay: () => number;
  /** New WebSockets: `refused` fails at once, `hangs` never opens, `dead` opens and carries nothing. */
  websocket: 'open' | 'refused' | 'hangs' | 'dead';
  /** Bodies that stay open: `buffered` holds their lines until they end. */
  stream: 'open' | 'buffered';
  http: 'open' | 'refused' | 'hangs';
  /** Probabilities, per request. */
  repeat: number;
  replay: number;
  loseRequest: number;
  loseAnswer: number;
  truncate: number;
}

export const FAIR: Omit<Weather, 'delay'> = {
  websocket: 'open',
  stream: 'open',
  http: 'open',
  repeat: 0,
  replay: 0,
  loseRequest: 0,
  loseAnswer: 0,
  truncate: 0,
};

/** A connection as faults see it. */
export interface Connection {
  readonly kind: 'websocket' | 'request';
  readonly up: Pipe;
  readonly down: Pipe;
  /** Breaks it for both ends; each still gets some of what was under way. */
  cut(): void;
}

export class VirtualNetwork {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly server: VirtualServer;
  weather: Weather;
  readonly #connections = new Set<Connection>();

  constructor(options: { time: VirtualTime; random: Random; server: VirtualServer; weather: Weather }) {
    this.time = options.time;
    this.random = options.random;
    this.server = options.server;
    this.weather = options.weather;
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  #connect(kind: Connection['kind'], ends: { clientGone: () => void; serverGone: () => void }): Connection {
    const up = new Pipe(this.time, () => this.weather.delay());
    const down = new Pipe(this.time, () => this.weather.delay());
    const connection: Connection = {
      kind,
      up,
      down,
      cut: () => {
        if (!this.#connections.delete(connection)) return;
        down.close(this.random.int(0, 5), ends.serverGone);
        up.close(this.random.int(0, 5), ends.clientGone);
      },
    };
    this.#connections.add(connection);
    return connection;
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** A WebSocket from `client`. Returns how to send on it and how to drop it. */
  openSocket(client: VirtualClient, carrier: number): { send: (text: string) => void; drop: () => void } {
    const { websocket, http } = this.weather;
    let end: VirtualSocketEnd | null = null;
    const connection = this.#connect('websocket', {
      clientGone: () => end?.closed(),
      serverGone: () => client.input((session, now) => session.handleEnd(carrier, { ok: false, code: 1006 }, now)),
    });
    if (websocket === 'refused' || http === 'refused') {
      this.time.after(2 * this.weather.delay(), () => connection.cut());
    } else if (websocket !== 'hangs' && http !== 'hangs') {
      // TCP and the upgrade take a round trip each.
      connection.up.send(() =>
        connection.down.send(() =>
          connection.up.send(() => {
            end = this.server.openSocket({
              lines: (lines) =>
                connection.down.send(() => {
                  for (const text of lines) client.input((session, now) => session.handleLine(carrier, text, now));
                }),
              end: () => {
                this.forget(connection);
                connection.down.close(1_000, () =>
                  client.input((session, now) => session.handleEnd(carrier, { ok: false, code: 1000 }, now)),
                );
              },
            });
            connection.down.send(() => {
              client.input((session, now) => session.handleOpen(carrier, now));
              if (websocket === 'dead') {
                connection.up.mute();
                connection.down.mute();
              }
            });
          }),
        ),
      );
    }
    return {
      send: (text) => connection.up.send(() => end?.message(text)),
      drop: () => {
        this.forget(connection);
        connection.down.mute();
        connection.up.close(1_000, () => end?.closed());
      },
    };
  }

  /** A POST from `client`. Returns how to abort it. */
  request(client: VirtualClient, effect: Extract<Effect, { type: 'request' }>): () => void {
    const { weather, random } = this;
    const { carrier, body } = effect;
    let gone = (): void => {};
    const connection = this.#connect('request', {
      clientGone: () => gone(),
      serverGone: () => client.input((session, now) => session.handleEnd(carrier, { ok: false }, now)),
    });
    const abort = (): void => {
      this.forget(connection);
      connection.down.mute();
      connection.up.close(random.int(0, 1), () => gone());
    };
    if (weather.http === 'refused') this.time.after(2 * weather.delay(), () => connection.cut());
    if (weather.http !== 'open') return abort;
    if (random.chance(weather.loseRequest)) {
      this.time.after(weather.delay(), () => connection.cut());
      return abort;
    }
    const fate = { lost: random.chance(weather.loseAnswer), truncated: random.chance(weather.truncate) };
    const buffered = effect.stream && weather.stream === 'buffered';
    const held: string[] = [];
    let cutOff = false;
    const deliver = (lines: readonly string[]): void => {
      connection.down.send(() => {
        for (const text of lines) client.input((session, now) => session.handleLine(carrier, text, now));
      });
    };
    const sink = {
      lines: (lines: readonly string[]) => {
        if (fate.lost || cutOff) return;
        if (buffered) held.push(...lines);
        else if (fate.truncated && lines.length > 1) {
          deliver(lines.slice(0, random.int(0, lines.length - 1)));
          cutOff = true;
          this.time.after(0, () => connection.cut());
        } else deliver(lines);
      },
      end: () => {
        if (fate.lost || cutOff) return connection.cut();
        if (held.length > 0) deliver(held);
        this.forget(connection);
        connection.down.close(1_000, () =>
          client.input((session, now) => session.handleEnd(carrier, { ok: !fate.truncated }, now)),
        );
      },
    };
    connection.up.send(() => {
      gone = this.server.request(body, sink);
    });
    const nobody = { lines: () => {}, end: () => {} };
    // A browser repeats a request on a fresh connection when the first was reset; a proxy may replay one much later.
    if (random.chance(weather.repeat)) this.time.after(random.int(0, 50), () => void this.server.request(body, nobody));
    if (random.chance(weather.replay)) this.time.after(random.int(50, 20_000), () => void this.server.request(body, nobody));
    return abort;
  }

  cutAll(): void {
    for (const connection of [...this.#connections]) connection.cut();
  }
}

/** Drives a `ClientSession` over a virtual network: what the client package does with fetch and WebSocket. */
export class VirtualClient {
  readonly session: ClientSession;
  readonly #network: VirtualNetwork;
  readonly #timer: VirtualTimer;
  readonly #sockets = new Map<number, { send: (text: string) => void; drop: () => void }>();
  readonly #requests = new Map<number, () => void>();
  #credentials: () => unknown;

  constructor(options: { network: VirtualNetwork; session: ClientSession; credentials?: () => unknown }) {
    this.#network = options.network;
    this.session = options.session;
    this.#credentials = options.credentials ?? (() => undefined);
    this.#timer = new VirtualTimer(options.network.time, () =>
      this.input((session, now) => session.handleTimeout(now)),
    );
  }

  /** One input, and everything that follows from it. */
  input(run: (session: ClientSession, now: number) => void): void {
    run(this.session, this.#network.time.now);
    this.#pump();
  }

  #pump(): void {
    for (let effects = this.session.takeEffects(); effects.length > 0; effects = this.session.takeEffects()) {
      for (const effect of effects) this.#carryOut(effect);
    }
    this.#timer.set(this.session.nextTimeout());
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'open':
        this.#sockets.set(effect.carrier, this.#network.openSocket(this, effect.carrier));
        return;
      case 'send':
        this.#sockets.get(effect.carrier)?.send(effect.text);
        return;
      case 'request':
        this.#requests.set(effect.carrier, this.#network.request(this, effect));
        return;
      case 'drop':
        this.#sockets.get(effect.carrier)?.drop();
        this.#requests.get(effect.carrier)?.();
        this.#sockets.delete(effect.carrier);
        this.#requests.delete(effect.carrier);
        return;
      case 'credentials':
        this.#network.time.after(1, () => this.input((session, now) => session.handleCredentials(this.#credentials(), now)));
    }
  }
}
