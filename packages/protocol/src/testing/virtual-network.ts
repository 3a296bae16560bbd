/**
 * What stands between clients and a server, in virtual time: sockets and requests over pipes that can be slow, cut, stalled or mute, and a
 * *weather* that says what happens to new ones. Requests can be repeated, replayed later, lose their answer, or have it truncated.
 */
import type { Effect } from '../session/client/ports.ts';
import { LineReader } from '../wire/lines.ts';
import { ConnectionPool, type PooledConnection } from './connection-pool.ts';
import type { Random } from './random.ts';
import type { VirtualClient } from './virtual-client.ts';
import type { ServerEnd, Sink, VirtualSocketEnd } from './virtual-server.ts';
import type { VirtualTime } from './virtual-time.ts';
import { Pipe } from './wire-pipe.ts';

export interface Weather {
  /** One way, ms. */
  delay: () => number;
  /** New WebSockets: `refused` fails at once, `hangs` never opens, `dead` opens and carries nothing, `deaf` opens and carries nothing down. */
  websocket: 'open' | 'refused' | 'hangs' | 'dead' | 'deaf';
  /** Bodies that stay open: `buffered` holds their lines until they end. */
  stream: 'open' | 'buffered';
  /** All that is new, WebSockets too. `portal` answers each request with a page of its own. */
  http: 'open' | 'refused' | 'hangs' | 'portal';
  /** POSTs alone: `swallowed` are never answered. */
  post: 'open' | 'swallowed';
  /** A proxy cuts what it has waited for this long to end, ms; Infinity: it does not. */
  answerMs: number;
  /** A connection falls silent when more than this has gone up it, in UTF-16 units; Infinity: it does not. */
  connectionSize: number;
  /** Probabilities, per request. */
  /** It arrives twice, a little apart, on two connections; the first answer is read. */
  repeat: number;
  /** The same, but the second answer is read: the browser has given up the first connection. */
  retry: number;
  /** It arrives again much later, and nobody reads the answer. */
  replay: number;
  loseRequest: number;
  loseAnswer: number;
  /** The answer is cut anywhere. */
  truncate: number;
  /** A proxy answers with what it answered an earlier request. */
  stale: number;
}

/** What has happened to a carrier, for whoever counts. */
export type Mishap =
  | Exclude<keyof Weather, 'delay' | 'websocket' | 'stream' | 'http' | 'post' | 'answerMs' | 'connectionSize'>
  | 'refused'
  | 'hangs'
  | 'dead'
  | 'deaf'
  | 'portal'
  | 'swallowed'
  | 'dead connection'
  | 'answer capped'
  | 'connection worn out'
  | 'buffered';

export const FAIR: Omit<Weather, 'delay'> = {
  websocket: 'open',
  stream: 'open',
  http: 'open',
  post: 'open',
  answerMs: Number.POSITIVE_INFINITY,
  connectionSize: Number.POSITIVE_INFINITY,
  repeat: 0,
  retry: 0,
  replay: 0,
  loseRequest: 0,
  loseAnswer: 0,
  truncate: 0,
  stale: 0,
};

/** Answers to attaches, polls and POSTs that were not refused. */
const CACHEABLE = /^\[(?:0|10|11),/;

/** What a captive portal says to everything. */
const PORTAL_PAGE = ['<!doctype html>', '<title>Welcome to our network</title>', '<p>Please sign in.</p>'] as const;

const NOBODY = { lines: (): void => {}, end: (): void => {} };

/** A connection as faults see it. */
export interface Connection {
  readonly owner: VirtualClient;
  readonly kind: 'websocket' | 'request';
  readonly up: Pipe;
  readonly down: Pipe;
  /** Breaks it for both ends; each still gets some of what was under way. */
  cut(): void;
}

export class VirtualNetwork {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly server: ServerEnd;
  weather: Weather;
  readonly #connections = new Set<Connection>();
  readonly #pool = new ConnectionPool<VirtualClient>();
  readonly #happened: (mishap: Mishap) => void;
  /** Answers that a careless proxy might give the same client again; a few of the latest. */
  readonly #cache: { readonly owner: VirtualClient; readonly lines: readonly string[] }[] = [];

  constructor(options: {
    time: VirtualTime;
    random: Random;
    server: ServerEnd;
    weather: Weather;
    /** Told of each mishap when it happens to a carrier. */
    happened?: (mishap: Mishap) => void;
  }) {
    this.time = options.time;
    this.random = options.random;
    this.server = options.server;
    this.weather = options.weather;
    this.#happened = options.happened ?? (() => {});
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections;
  }

  #connect(
    owner: VirtualClient,
    kind: Connection['kind'],
    ends: { clientGone: () => void; serverGone: () => void },
  ): Connection {
    const up = new Pipe(this.time, () => this.weather.delay());
    const down = new Pipe(this.time, () => this.weather.delay());
    const connection: Connection = {
      owner,
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
    const { http } = this.weather;
    const websocket = http === 'open' ? this.weather.websocket : http === 'portal' ? 'refused' : http;
    let end: VirtualSocketEnd | null = null;
    const connection = this.#connect(client, 'websocket', {
      clientGone: () => end?.closed(),
      serverGone: () => client.input((session, now) => session.handleEnd(carrier, { ok: false, code: 1006 }, now)),
    });
    if (websocket !== 'open') this.#happened(websocket);
    if (websocket === 'refused') this.time.after(2 * this.weather.delay(), () => connection.cut());
    else if (websocket !== 'hangs') {
      const accept = (): void => {
        end = this.server.openSocket({
          lines: (lines) => connection.down.send(() => client.lines(carrier, lines)),
          end: () => {
            this.#forget(connection);
            connection.down.end(() =>
              client.input((session, now) => session.handleEnd(carrier, { ok: false, code: 1000 }, now)),
            );
          },
        });
        connection.down.send(() => {
          client.input((session, now) => session.handleOpen(carrier, now));
          if (websocket === 'dead') connection.up.mute();
          if (websocket !== 'open') connection.down.mute();
        });
      };
      // TCP and the upgrade take a round trip each.
      connection.up.send(() => connection.down.send(() => connection.up.send(accept)));
    }
    let sent = 0;
    return {
      send: (text) => {
        sent += text.length;
        if (this.#wearsOut(connection, sent)) return;
        connection.up.send(() => end?.message(text));
      },
      drop: () => {
        this.#forget(connection);
        connection.down.mute();
        connection.up.end(() => end?.closed());
      },
    };
  }

  /** A POST from `client`. Returns how to abort it. */
  request(client: VirtualClient, effect: Extract<Effect, { type: 'request' }>): () => void {
    const { weather, random } = this;
    const { carrier, body } = effect;
    let gone = (): void => {};
    const connection = this.#connect(client, 'request', {
      clientGone: () => gone(),
      serverGone: () => client.input((session, now) => session.handleEnd(carrier, { ok: false }, now)),
    });
    const abort = (): void => {
      this.#forget(connection);
      connection.down.mute();
      connection.up.close(random.int(0, 1), () => gone());
    };
    const taken = this.#pool.take(client);
    const pooled = taken ?? { dead: false, sent: 0 };
    pooled.sent += body.length;
    if (weather.http === 'refused' || weather.http === 'hangs') {
      this.#happened(weather.http);
      if (weather.http === 'refused') this.time.after(2 * weather.delay(), () => connection.cut());
      return abort;
    }
    if (this.#wearsOut(connection, pooled.sent)) return abort;
    if (pooled.dead || weather.post === 'swallowed') {
      this.#happened(pooled.dead ? 'dead connection' : 'swallowed');
      connection.up.mute();
      return abort;
    }
    if (weather.answerMs !== Number.POSITIVE_INFINITY) {
      this.time.after(weather.answerMs, () => {
        if (!this.#connections.has(connection)) return;
        this.#happened('answer capped');
        connection.cut();
      });
    }
    if (weather.http === 'portal') {
      this.#happened('portal');
      const portal = this.#answerTo(connection, client, effect, pooled);
      connection.up.send(() => {
        portal.lines(PORTAL_PAGE);
        portal.end();
      });
      return abort;
    }
    if (this.#befalls('loseRequest')) {
      this.time.after(weather.delay(), () => connection.cut());
      return abort;
    }
    const sink = this.#answerTo(connection, client, effect, pooled);
    const stale = this.#cache.filter(({ owner }) => owner === client);
    if (stale.length > 0 && this.#befalls('stale')) {
      connection.up.send(() => {
        sink.lines(random.pick(stale).lines);
        sink.end();
      });
      return abort;
    }
    const arrive = (): void => {
      if (!this.#befalls('retry')) {
        gone = this.server.request(body, sink);
        return;
      }
      const leave = this.server.request(body, NOBODY);
      this.time.after(random.int(0, 400), leave);
      this.time.after(random.int(0, 300), () => {
        gone = this.server.request(body, sink);
      });
    };
    // A fresh connection takes a round trip to open.
    if (taken === null) connection.up.send(() => connection.down.send(() => connection.up.send(arrive)));
    else connection.up.send(arrive);
    if (this.#befalls('repeat')) this.time.after(random.int(0, 50), () => void this.server.request(body, NOBODY));
    if (this.#befalls('replay')) this.time.after(random.int(50, 20_000), () => void this.server.request(body, NOBODY));
    return abort;
  }

  cutAll(): void {
    for (const connection of [...this.#connections]) connection.cut();
  }

  /** Gives a client an idle connection for its next requests, as a page has that was just loaded. */
  warm(client: VirtualClient): void {
    this.#pool.giveBack(client, { dead: false, sent: 0 });
  }

  /** The network has changed under its clients: every connection there is, used or idle, is dead, and nobody is told. */
  vanish(): void {
    this.#pool.die();
    for (const { up, down } of this.#connections) {
      up.mute();
      down.mute();
    }
  }

  /** Whether nothing passes it any more, for `sent` is more than it bears. */
  #wearsOut({ up, down }: Connection, sent: number): boolean {
    if (sent <= this.weather.connectionSize) return false;
    up.mute();
    down.mute();
    this.#happened('connection worn out');
    return true;
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Whether it befalls the request at hand. */
  #befalls(mishap: 'repeat' | 'retry' | 'replay' | 'loseRequest' | 'loseAnswer' | 'truncate' | 'stale'): boolean {
    const befalls = this.weather[mishap] > 0 && this.random.chance(this.weather[mishap]);
    if (befalls) this.#happened(mishap);
    return befalls;
  }

  /** The way of an answer down `connection`, with what befalls it there. */
  #answerTo(
    connection: Connection,
    client: VirtualClient,
    { carrier, stream }: Extract<Effect, { type: 'request' }>,
    pooled: PooledConnection,
  ): Sink {
    const lost = this.#befalls('loseAnswer');
    const truncated = this.#befalls('truncate');
    const buffered = stream && this.weather.stream === 'buffered';
    if (buffered) this.#happened('buffered');
    const held: string[] = [];
    let cutOff = false;
    const deliver = (lines: readonly string[]): void => connection.down.send(() => client.lines(carrier, lines));
    return {
      lines: (lines) => {
        if (lost || cutOff) return;
        if (buffered) held.push(...lines);
        else if (truncated) {
          const text = `${lines.join('\n')}\n`;
          deliver(new LineReader().push(text.slice(0, this.random.int(0, text.length - 1))));
          cutOff = true;
          this.time.after(0, () => connection.cut());
        } else deliver(lines);
        if (stream || this.weather.stale === 0 || !CACHEABLE.test(lines[0] ?? '')) return;
        this.#cache.push({ owner: client, lines });
        if (this.#cache.length > 8) this.#cache.shift();
      },
      end: () => {
        if (lost || cutOff) return connection.cut();
        if (held.length > 0) deliver(held);
        this.#forget(connection);
        connection.down.end(() => {
          this.#pool.giveBack(client, pooled);
          client.input((session, now) => session.handleEnd(carrier, { ok: true }, now));
        });
      },
    };
  }
}
