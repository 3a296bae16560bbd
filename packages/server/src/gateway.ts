/**
 * The door of a node: HTTP requests and WebSocket handshakes in, sessions out. It owns the session registry and everything below it, and knows channels only
 * as the `ServerApp` it was given.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  DEFAULT_LIMITS,
  type Identity,
  type Limits,
  RunnelError,
  type ServerApp,
  type ServerSession,
  SessionRegistry,
  TRANSPORTS,
  type Transport,
  Type,
} from '@runnel/protocol';
import { createMiddleware, type Middleware } from './adapters/express.ts';
import { type HttpServer, type Interceptor, intercept } from './adapters/http-server.ts';
import { type Authenticate, Authenticator } from './authenticator.ts';
import type { Cluster, ClusterOptions } from './cluster/cluster.ts';
import { type CompressionOptions, thresholdOf } from './compression.ts';
import type { Expiring } from './credentials.ts';
import { type Door, Doors } from './doors.ts';
import { type Clock, Driver, systemClock } from './driver.ts';
import { ResumeKeys } from './keys.ts';
import { LazyAbort } from './lazy-abort.ts';
import { type AttachMiddleware, Middlewares } from './middlewares.ts';
import { Openings, openingOf } from './openings.ts';
import { OriginPolicy, type Origins } from './origin.ts';
import { randomName } from './random-name.ts';
import { type SharedLine, sharedLine } from './shared-line.ts';
import { Edge, type ErrorContext } from './transports/edge.ts';
import { EventFeed } from './transports/event-feed.ts';
import { Exchange } from './transports/exchange.ts';
import { FetchCall } from './transports/fetch-call.ts';
import type { HttpCall } from './transports/http-call.ts';
import { HttpEdge } from './transports/http-edge.ts';
import { NodeCall } from './transports/node-call.ts';
import { StreamProbes } from './transports/stream-probes.ts';
import { WebSocketEdge } from './transports/websocket-edge.ts';

export interface GatewayOptions<I extends Identity & Expiring> {
  readonly app: ServerApp<SharedLine, I>;
  readonly authenticate: Authenticate<I>;
  /** Middlewares that run before `authenticate`. Default: none. */
  readonly use?: readonly AttachMiddleware[] | undefined;
  /** The one URL path of all transports. Default `/realtime`. */
  readonly path?: string | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** What is offered. Default: all. */
  readonly transports?: readonly Transport[] | undefined;
  /** Sessions at once; attaches beyond it are refused with `overloaded`. Default 100,000. */
  readonly sessionsMax?: number | undefined;
  /** Sockets and streams at once, attached or not. Default: twice `sessionsMax`. */
  readonly socketsMax?: number | undefined;
  /** See `ServerOptions`. Default: false. */
  readonly compression?: boolean | CompressionOptions | undefined;
  /** How long the answer to an attach waits for its subscriptions, ms. Default 2,000. */
  readonly settleMs?: number | undefined;
  /** Origins of pages beside the server's own. Default: none. */
  readonly origins?: Origins | undefined;
  readonly cors?: { readonly credentials?: boolean | undefined } | undefined;
  /** Name of this node: at most 64 characters, unlike any other's. Clients see it. Default: random. */
  readonly node?: string | undefined;
  /** Signs resume keys; see `ResumeKeysOptions`. */
  readonly secret?: string | Uint8Array | undefined;
  /** What the application threw, or could not have been expected. Default: `console.error`. */
  readonly onError?: ((error: unknown, context: ErrorContext) => void) | undefined;
  /** Default: the clock of the process. */
  readonly clock?: Clock | undefined;
  /** Joins the other nodes. Default: there are none. */
  readonly joinCluster?: ((parts: ClusterParts<I>) => Cluster<I>) | undefined;
}

/** What a node brings into its cluster. */
type ClusterParts<I extends Identity & Expiring> = Pick<
  ClusterOptions<I>,
  'node' | 'clock' | 'registry' | 'readKey' | 'agreed' | 'turn' | 'serve' | 'onError'
>;

export interface CloseOptions {
  /** Clients are asked to come back after a random part of this, ms. Default 1,000. */
  readonly retryMs?: number | undefined;
  /** How long connections may take to end, ms. Default 5,000. */
  readonly timeoutMs?: number | undefined;
}

/** Long enough not to be taken twice; it stands in every key. */
const NODE_NAME_LENGTH = 12;
/** How long, and how often, `close` looks whether clients that poll have fetched what they are owed, ms. */
const FETCH_MS = 1_000;
const FETCH_LOOK_MS = 20;
/** Clients of a node that is left come back, to another, after a random part of this, ms. */
const HAND_OVER_RETRY_MS = 500;

export class Gateway<I extends Identity & Expiring> {
  readonly node: string;
  readonly limits: Limits;
  readonly registry: SessionRegistry<SharedLine, I>;
  readonly #clock: Clock;
  readonly #driver: Driver;
  readonly #doors: Doors;
  readonly #openings: Openings<I>;
  readonly #authenticator: Authenticator<I>;
  readonly #edge: Edge<I>;
  /** Null: there are no other nodes. */
  readonly #cluster: Cluster<I> | null;
  readonly #probes: StreamProbes<I>;
  readonly #http: HttpEdge<I>;
  readonly #events: EventFeed<I>;
  readonly #webSockets: WebSocketEdge<I>;
  /** Servers whose events are taken, and how to give them back. */
  readonly #attached = new Map<HttpServer, () => void>();
  /** Set by the first `close`. */
  #closed: Promise<void> | null = null;

  constructor(options: GatewayOptions<I>) {
    const { app, authenticate, sessionsMax = 100_000, settleMs = 2_000, clock = systemClock } = options;
    const { transports = TRANSPORTS, path = '/realtime', use = [] } = options;
    this.node = options.node ?? randomName().slice(0, NODE_NAME_LENGTH);
    this.#doors = new Doors(path);
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    const report = reporter(options.onError);
    const keys = new ResumeKeys({ node: this.node, secret: options.secret });
    const keyOf = (sid: string): string | undefined => this.registry.session(sid)?.key;
    this.#openings = new Openings<I>(app);
    this.registry = new SessionRegistry<SharedLine, I>({
      node: this.node,
      limits: this.limits,
      transports,
      sessionsMax,
      settleMs,
      app: this.#openings,
      now: () => this.#driver.now(),
      newId: randomName,
      issueKey: (sid) => keys.issueKey(sid),
      readKey: (key) => keys.readKey(key, keyOf),
      line: sharedLine,
      onWork: () => this.#driver.requestFlush(),
    });
    this.#probes = new StreamProbes({ probeMs: this.limits.probeMs, newId: randomName });
    this.#clock = clock;
    this.#driver = new Driver({
      clock,
      sleepers: [this.registry, this.#probes],
      flush: (now) => this.registry.flush(now),
      onError: (error) => report(error, 'turn'),
    });
    const onError = (error: unknown): void => report(error, 'authenticate');
    const middlewares = new Middlewares(use, onError);
    this.#authenticator = new Authenticator({ authenticate, middlewares, clock, onError });
    this.#cluster =
      options.joinCluster?.({
        ...{ node: this.node, clock, registry: this.registry },
        readKey: (key) => keys.readKey(key),
        turn: (run) => void this.#edge.turn(run),
        agreed: options.secret === undefined ? (secret) => keys.agree(secret) : undefined,
        serve: (call) => this.#serve(call, this.#doors.ofRouted(call.url), null),
        onError: (error) => report(error, 'turn'),
      }) ?? null;
    this.#edge = new Edge<I>({
      registry: this.registry,
      driver: this.#driver,
      limits: this.limits,
      transports: new Set(transports),
      socketsMax: options.socketsMax ?? 2 * sessionsMax,
      compressedFromBytes: thresholdOf(options.compression),
      origins: new OriginPolicy({ origins: options.origins, credentials: options.cors?.credentials }),
      authenticator: this.#authenticator,
      openings: this.#openings,
      report,
      cluster: this.#cluster,
    });
    this.#http = new HttpEdge(this.#edge, this.#probes);
    this.#events = new EventFeed({ edge: this.#edge, newId: randomName });
    this.#webSockets = new WebSocketEdge(this.#edge);
  }

  get path(): string {
    return this.#doors.path;
  }

  /** The time as the registry wants it. */
  now(): number {
    return this.#driver.now();
  }

  /** Requests and sockets under way. */
  get carrierCount(): number {
    return this.#edge.carrierCount;
  }

  /**
   * Takes the requests and WebSocket handshakes on `path` before the server's listeners see them, whenever those were or will be added; everything else is
   * left alone. May be called before or after `listen`, and for several servers.
   */
  attach(server: HttpServer): void {
    this.#intercept(server, this.#handle);
  }

  /** Takes WebSocket handshakes only: for a server whose requests come through `middleware`. Done by itself at the first of them. */
  attachUpgrades(server: HttpServer): void {
    if (!this.#attached.has(server)) this.#intercept(server);
  }

  /** Gives a server's events back. Sessions and sockets live on. */
  detach(server: HttpServer): void {
    this.#attached.get(server)?.();
    this.#attached.delete(server);
  }

  /** For `app.use`, in place of `attach`: slower, but behind what the application has put before it. */
  middleware(): Middleware {
    return createMiddleware({
      doorOf: this.#doors.of,
      request: this.#handle,
      attachUpgrades: (server) => this.attachUpgrades(server),
    });
  }

  /**
   * Answers a request that somebody has routed to us. `known`: who it is, so that `authenticate` is not asked. Rejects only with a TypeError, for a request
   * whose body was read before.
   */
  async fetch(request: Request, known: I | null = null): Promise<Response> {
    const call = new FetchCall(request);
    this.#serve(call, this.#doors.ofRouted(call.url), known);
    return call.response;
  }

  /**
   * Who `auth` names that came in band over an open session: judged as an attach with it would be. Null: it is refused.
   *
   * @throws RunnelError where that cannot be said now: `internal`, `overloaded`, `timeout`
   */
  async reauthenticate(auth: unknown, session: ServerSession<SharedLine, I>): Promise<I | null> {
    const opening = openingOf(session);
    if (opening === null) return null;
    // Who said who it is says so again with each attach.
    if (opening.known) return session.identity;
    const request = opening.unpack();
    const verdict = await this.#authenticator.judge({ request, auth, gen: 0, gone: new LazyAbort() });
    if ('identity' in verdict) return verdict.identity;
    const { refusal } = verdict;
    if (refusal[0] === Type.retry) throw new RunnelError('timeout', 'the credentials were not checked in time');
    const [, code, reason] = refusal;
    if (code === 'unauthorized') return null;
    throw new RunnelError(code, reason);
  }

  /**
   * Where there are other nodes: lets go of every link, so that its client attaches there and its session is taken from here. Resolves when that has happened
   * to all whose client is there, or after `timeoutMs`. Calls under way go on.
   */
  async leave(timeoutMs: number): Promise<void> {
    const cluster = this.#cluster;
    if (cluster === null || !(await cluster.hasOthers())) return;
    cluster.drain();
    // Nobody may ever ask for the others; who does, gets them.
    const expected = [...this.registry.sessions()].filter(({ isReachable }) => isReachable);
    this.#edge.refuseAll(HAND_OVER_RETRY_MS);
    this.#edge.turn((now) => {
      this.registry.flush(now);
      this.registry.letGo(HAND_OVER_RETRY_MS, now);
    });
    const until = this.#edge.driver.now() + timeoutMs;
    const isHere = ({ sid }: { readonly sid: string }): boolean => this.registry.session(sid) !== undefined;
    while ((cluster.isNeeded || expected.some(isHere)) && this.#edge.driver.now() < until) {
      await new Promise<void>((resolve) => void this.#clock.after(FETCH_LOOK_MS, resolve));
    }
  }

  /**
   * Ends all sessions with `server_closing`, lets every connection have its last bytes, and turns newcomers away. Resolves when nothing is under way any
   * more; the HTTP server itself is the caller's. Calling it again waits for the same end.
   */
  close({ retryMs = 1_000, timeoutMs = 5_000 }: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#close(retryMs, timeoutMs);
    return this.#closed;
  }

  async #close(retryMs: number, timeoutMs: number): Promise<void> {
    this.#edge.turn((now) => this.registry.flush(now));
    await this.#fetched(Math.min(timeoutMs, FETCH_MS));
    this.#edge.refuseAll(retryMs);
    this.#edge.turn((now) => {
      this.registry.flush(now);
      this.registry.shutdown(retryMs, now);
    });
    this.#probes.endAll();
    await this.#edge.drain(timeoutMs);
    await this.#cluster?.close();
    this.#driver.stop();
  }

  /** Between two polls there is nothing to write on: their clients get a moment to fetch what they are owed. */
  async #fetched(ms: number): Promise<void> {
    const until = this.#edge.driver.now() + ms;
    while (this.registry.owesPolls && this.#edge.driver.now() < until) {
      await new Promise<void>((resolve) => void this.#clock.after(FETCH_LOOK_MS, resolve));
    }
  }

  #intercept(server: HttpServer, request?: Interceptor['request']): void {
    this.detach(server);
    const upgrade = this.#webSockets.handleUpgrade.bind(this.#webSockets);
    this.#attached.set(server, intercept(server, { doorOf: this.#doors.of, request, upgrade }));
  }

  readonly #handle = (request: IncomingMessage, response: ServerResponse, door: Door): void => {
    this.#serve(new NodeCall(request, response), door, null);
  };

  #serve(call: HttpCall, door: Door, known: I | null): void {
    const exchange = new Exchange<I>(this.#edge, call, known);
    if (door === 'events') this.#events.handle(exchange);
    else this.#http.handle(exchange);
  }
}

/** Reports without ever throwing itself. */
function reporter(onError: GatewayOptions<Identity>['onError']): (error: unknown, context: ErrorContext) => void {
  return (error, context) => {
    try {
      if (onError !== undefined) onError(error, context);
      else console.error(`runnel: ${context}:`, error);
    } catch (failure) {
      console.error('runnel: onError threw:', failure);
    }
  };
}
