/** The server as apps meet it: contract and handlers in, sessions and channels out. */
import {
  type Contract,
  compileContract,
  DEFAULT_LIMITS,
  type Identity,
  type Limits,
  type ParamsTuple,
  type PatternOf,
  type Transport,
} from '@runnel/protocol';
import type { Middleware } from './adapters/express.ts';
import type { HttpServer } from './adapters/http-server.ts';
import { Application } from './application.ts';
import type { Broker } from './brokers/broker.ts';
import { memoryBroker } from './brokers/memory.ts';
import type { SessionInfo } from './channels/access.ts';
import type { Handlers } from './channels/handlers.ts';
import type { ServerChannel } from './channels/server-channel.ts';
import { Cluster } from './cluster/cluster.ts';
import type { CompressionOptions } from './compression.ts';
import type { Expiring } from './credentials.ts';
import { type Clock, systemClock } from './driver.ts';
import { Gateway } from './gateway.ts';
import type { AttachRequest } from './handshake.ts';
import type { AttachMiddleware } from './middlewares.ts';
import type { Origins } from './origin.ts';
import type { OnError } from './reporter.ts';

/** Who opens a session. `id` is what `user(id)`, presence and idempotency go by. */
export interface ServerIdentity extends Identity, Expiring {}

/** What `authenticate` is given. */
export interface AuthenticateContext {
  /** What the client gave as `auth`. Not validated. */
  readonly auth: unknown;
  /** The request of the attach; for fresh credentials that come in band, that of the attach which the session was opened or resumed with last. */
  readonly request: AttachRequest;
}

export interface ServerOptions<C extends Contract<C>, I extends ServerIdentity> {
  readonly contract: C;
  /** Says who it is, or null to refuse. Asked for every attach, and for fresh credentials in band. */
  readonly authenticate: (context: AuthenticateContext) => I | null | Promise<I | null>;
  /**
   * Connect or Express middlewares that run before `authenticate`, in order, whenever that is asked: once per attach, over any transport, and not for the
   * polls and POSTs between. So `request.session` of express-session and `request.user` of passport are there. An Express app or router is a middleware
   * too, and brings `request.get`, `response.status` and the like.
   *
   * They are given a stand-in for the response: a cookie that they set does not reach the client, so let routes of the app set it (`saveUninitialized:
   * false`, `resave: false`). Sessions are saved and touched as usual. One that answers 401, 403 or a redirect instead of calling `next`, or calls it with
   * an error of such a status, refuses the client with `unauthorized`; 429 and 503 mean `overloaded`; any other error reaches `onError`. They share the
   * 10 s of `authenticate`. Default: none.
   */
  readonly use?: readonly AttachMiddleware[] | undefined;
  /** The one URL path of all transports; `<path>/events` is for readers without the SDK (PROTOCOL §11). Default: `/realtime`. */
  readonly path?: string | undefined;
  /** Origins of pages beside the server's own. Default: none. */
  readonly origins?: Origins | undefined;
  readonly cors?: { readonly credentials?: boolean | undefined } | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** What is offered. Default: all. */
  readonly transports?: readonly Transport[] | undefined;
  /** Sessions at once. Default: 100,000. */
  readonly sessionsMax?: number | undefined;
  /**
   * Whether long messages go compressed to WebSocket clients that offer it (permessage-deflate), as browsers do. Each is compressed by itself and once for
   * all its subscribers, however many they are; no compressor is kept per connection. `true`, or `{ thresholdBytes }`: from which size on, default 1,024; a
   * RangeError for what is no size. Browsers then compress what they send as well, and for each that has sent something 15 to 50 kB are kept to inflate it.
   * Default: false.
   */
  readonly compression?: boolean | CompressionOptions | undefined;
  /** How long a handler may take where the client names no time, ms. Default: 30,000. */
  readonly handlerMs?: number | undefined;
  /** Default: in memory. */
  readonly broker?: Broker | undefined;
  /** Name of this node. Default: host name and a random part. */
  readonly node?: string | undefined;
  /** Signs resume keys; the same on all nodes. Default: what the nodes agree upon by the broker; random where there is one. */
  readonly secret?: string | Uint8Array | undefined;
  /** What handlers threw, and whatever else is no client's fault. Default: `console.error`. */
  readonly onError?: OnError | undefined;
  /** A session has begun: its client has shown that it got its welcome. Nobody waits for it; what it throws reaches `onError`. */
  readonly onSession?: ((session: SessionInfo<I>) => unknown) | undefined;
  /** A session that `onSession` was told of is over; `code` says why (PROTOCOL §9). Likewise. */
  readonly onSessionEnd?: ((session: SessionInfo<I>, code: string) => unknown) | undefined;
  /** Default: the clock of the process. */
  readonly clock?: Clock | undefined;
}

export interface ServerStats {
  readonly sessions: number;
  /** WebSockets and stream bodies. */
  readonly links: number;
  /** Channels with a subscription on this node. */
  readonly channels: number;
  readonly subscriptions: number;
  /** Requests and publishes under way. */
  readonly calls: number;
  /** Sessions by the transport that they use. */
  readonly transports: { readonly [T in Transport]: number };
}

/** One user, wherever the user's sessions came from. */
export interface ServerUser<I extends Identity> {
  readonly id: string;
  /** Ends all sessions of the user; resolves to their number. Their clients do not come back by themselves. */
  kick(reason?: string): Promise<number>;
  sessions(): Promise<readonly SessionInfo<I>[]>;
  /** Asks `authorize` again about everything the user follows; resolves when what is lost has been taken away. */
  reauthorize(): Promise<void>;
}

export interface ServerCloseOptions {
  /** How long calls under way, and then connections, may take to end, ms each. Default: 5,000. */
  readonly timeoutMs?: number | undefined;
  /** Clients are asked to come back after a random part of this, ms. Default: 1,000. */
  readonly retryMs?: number | undefined;
}

/** Made by {@link createServer}. */
export class RunnelServer<C extends Contract<C>, I extends ServerIdentity> {
  readonly #application: Application<I>;
  readonly #gateway: Gateway<I>;
  /** Set by the first `close`. */
  #closed: Promise<void> | null = null;

  /** Use {@link createServer}. */
  constructor(options: ServerOptions<C, I>) {
    const { authenticate, onError = printError, clock = systemClock, onSession, onSessionEnd, handlerMs } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    const broker = options.broker ?? memoryBroker({ clock, dedupMs: limits.dedupMs });
    // One that nobody else has needs nobody else.
    const nodes = options.broker?.nodes;
    this.#application = new Application<I>({
      contract: compileContract<C>(options.contract),
      broker,
      limits,
      clock,
      reauthenticate: (auth, session) => this.#gateway.reauthenticate(auth, session),
      ...{ onError, onSession, onSessionEnd, handlerMs },
    });
    const { path, origins, cors, transports, sessionsMax, compression, node, secret, use } = options;
    this.#gateway = new Gateway<I>({
      app: this.#application,
      authenticate: ({ auth, request }) => authenticate({ auth, request }),
      onError: (error, context) =>
        onError(error, { during: context === 'authenticate' ? 'authenticate' : 'transport' }),
      ...{ limits, clock, path, origins, cors, transports, sessionsMax, compression, node, secret, use },
      joinCluster:
        nodes === undefined
          ? undefined
          : (parts) =>
              new Cluster<I>({ ...parts, nodes, watch: broker.watch?.bind(broker), application: this.#application }),
    });
  }

  /**
   * Says who may do what with the channels of a pattern, and what happens then. Once for each pattern; frames that come before wait for
   * it, up to 10 s.
   *
   * @throws RunnelError `contract_invalid` for a pattern without `authorize` or `open: true`, and for handlers that are missing or too many
   */
  handle<K extends PatternOf<C>>(pattern: K, handlers: Handlers<C, K, I>): this {
    this.#application.handlers.add(pattern, handlers);
    return this;
  }

  /**
   * A channel, to broadcast to from anywhere.
   *
   * @throws RunnelError `channel_invalid` for parameters that make no name
   */
  channel<K extends PatternOf<C>>(pattern: K, ...params: ParamsTuple<K>): ServerChannel<C, K> {
    const [given = {}] = params as readonly [params?: { readonly [name: string]: string }];
    // The handle is the same for every channel; the contract's types are put on it here.
    return this.#application.channel(pattern, given) as unknown as ServerChannel<C, K>;
  }

  user(id: string): ServerUser<I> {
    const { census } = this.#application;
    return {
      id,
      kick: (reason) => census.kick(id, reason),
      sessions: () => census.sessions(id),
      reauthorize: () => census.reauthorize(id),
    };
  }

  /** Takes the requests and WebSocket handshakes on `path`; a server's other listeners see the rest as before. */
  attach(server: HttpServer): this {
    this.#gateway.attach(server);
    return this;
  }

  /**
   * For `app.use`, in place of `attach`: slower, but behind what the app has put before it. WebSockets never come through a framework: what `authenticate`
   * needs to find belongs into `use`.
   */
  middleware(): Middleware {
    return this.#gateway.middleware();
  }

  /**
   * Answers a request that a framework has routed here, over stream and poll; WebSockets need `attach`. It is a property, so that
   * `export const POST = realtime.fetchHandler` will do; give it `GET` (for `…/events`) and `OPTIONS` as well. The path is not looked at, but for its end.
   * Rejects with a TypeError for a request whose body was read before.
   */
  readonly fetchHandler: (request: Request) => Promise<Response> = (request) => this.#gateway.fetch(request);

  /**
   * Likewise for a request of somebody whom the app knows already: `use` and `authenticate` are left out, also for fresh credentials in band. Every request
   * of that client must come this way.
   *
   * @throws TypeError for a user without `id`
   */
  async fetchAs(user: I, request: Request): Promise<Response> {
    if (typeof user?.id !== 'string' || user.id === '')
      throw new TypeError('fetchAs needs a user whose id is a string.');
    return this.#gateway.fetch(request, user);
  }

  stats(): ServerStats {
    const { registry } = this.#gateway;
    const transports = { websocket: 0, stream: 0, poll: 0 };
    for (const { mode } of registry.sessions()) transports[mode] += 1;
    return { sessions: registry.size, links: registry.linkCount, transports, ...this.#application.stats };
  }

  /**
   * Brings its sessions to the other nodes, if there are any. Refuses new calls, waits for those under way, ends the sessions that are left with
   * `server_closing` and turns newcomers away. The HTTP server is the app's to close. Calling it again waits for the same end.
   */
  close(options: ServerCloseOptions = {}): Promise<void> {
    this.#closed ??= this.#close(options);
    return this.#closed;
  }

  async #close({ timeoutMs = 5_000, retryMs }: ServerCloseOptions): Promise<void> {
    // Before calls are refused: what comes meanwhile belongs to sessions that live on elsewhere.
    await this.#gateway.leave(timeoutMs);
    await this.#application.drain(timeoutMs);
    await this.#gateway.close({ timeoutMs, retryMs });
    await this.#application.close();
  }
}

/**
 * Makes a server. It serves nothing until `attach` or `middleware`.
 *
 * @throws RunnelError `contract_invalid` for a contract that was put together wrongly
 */
export function createServer<C extends Contract<C>, I extends ServerIdentity>(
  options: ServerOptions<C, I>,
): RunnelServer<C, I> {
  return new RunnelServer<C, I>(options);
}

const printError: OnError = (error, { during, channel }) => {
  console.error(`runnel: ${during}${channel === undefined ? '' : ` (${channel})`}:`, error);
};
