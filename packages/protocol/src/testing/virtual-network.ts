/**
 * What stands between clients and a server, in virtual time: sockets and requests over pipes that can be slow, cut, stalled or mute, and a
 * *weather* that says what happens to new ones. Requests can be repeated, replayed later, lose their answer, or have it truncated.
 */
import type { Effect } from '../session/client/ports.ts';
import { LineReader } from '../wire/lines.ts';
import type { Random } from './random.ts';
import type { VirtualClient } from './virtual-client.ts';
import type { ServerEnd, Sink, VirtualSocketEnd } from './virtual-server.ts';
import type { VirtualTime } from './virtual-time.ts';
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
  | Exclude<keyof Weather, 'delay' | 'websocket' | 'stream' | 'http'>
  | 'refused'
  | 'hangs'
  | 'dead'
  | 'buffered';

export const FAIR: Omit<Weather, 'delay'> = {
  websocket: 'open',
  stream: 'open',
  http: 'open',
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
    const websocket = this.weather.http === 'open' ? this.weather.websocket : this.weather.http;
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
            connection.down.close(1_000, () =>
              client.input((session, now) => session.handleEnd(carrier, { ok: false, code: 1000 }, now)),
            );
          },
        });
        connection.down.send(() => {
          client.input((session, now) => session.handleOpen(carrier, now));
          if (websocket !== 'dead') return;
          connection.up.mute();
          connection.down.mute();
        });
      };
      // TCP and the upgrade take a round trip each.
      connection.up.send(() => connection.down.send(() => connection.up.send(accept)));
    }
    return {
      send: (text) => connection.up.send(() => end?.message(text)),
      drop: () => {
        this.#forget(connection);
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
    const connection = this.#connect(client, 'request', {
      clientGone: () => gone(),
      serverGone: () => client.input((session, now) => session.handleEnd(carrier, { ok: false }, now)),
    });
    const abort = (): void => {
      this.#forget(connection);
      connection.down.mute();
      connection.up.close(random.int(0, 1), () => gone());
    };
    if (weather.http !== 'open') {
      this.#happened(weather.http);
      if (weather.http === 'refused') this.time.after(2 * weather.delay(), () => connection.cut());
      return abort;
    }
    if (this.#befalls('loseRequest')) {
      this.time.after(weather.delay(), () => connection.cut());
      return abort;
    }
    const sink = this.#answerTo(connection, client, effect);
    const stale = this.#cache.filter(({ owner }) => owner === client);
    if (stale.length > 0 && this.#befalls('stale')) {
      connection.up.send(() => {
        sink.lines(random.pick(stale).lines);
        sink.end();
      });
      return abort;
    }
    connection.up.send(() => {
      if (!this.#befalls('retry')) {
        gone = this.server.request(body, sink);
        return;
      }
      const leave = this.server.request(body, NOBODY);
      this.time.after(random.int(0, 400), leave);
      this.time.after(random.int(0, 300), () => {
        gone = this.server.request(body, sink);
      });
    });
    if (this.#befalls('repeat')) this.time.after(random.int(0, 50), () => void this.server.request(body, NOBODY));
    if (this.#befalls('replay')) this.time.after(random.int(50, 20_000), () => void this.server.request(body, NOBODY));
    return abort;
  }

  cutAll(): void {
    for (const connection of [...this.#connections]) connection.cut();
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
        connection.down.close(1_000, () =>
          client.input((session, now) => session.handleEnd(carrier, { ok: true }, now)),
        );
      },
    };
  }
}
