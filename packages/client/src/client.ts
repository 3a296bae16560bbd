import {
  ClientChannels,
  type ConnectionState,
  type Contract,
  type ParamsTuple,
  type PatternOf,
  RunnelError,
  TRANSPORTS,
  type Transport,
} from '@runnel/protocol';
import { type ChannelOptions, ClientChannel } from './channel.ts';
import { channelName } from './channel-name.ts';
import type { Auth } from './credentials.ts';
import { AttemptLog, type Diagnosis } from './diagnosis.ts';
import { Closable } from './disposal.ts';
import { Driver, machinery } from './driver.ts';
import { resolveEndpoint } from './endpoint.ts';
import { defaultEnvironment, type Environment } from './environment.ts';
import { Listeners } from './listeners.ts';
import type { ShareOptions } from './share/index.ts';
import { SharedChannels } from './shared-channels.ts';

export interface ClientOptions {
  /**
   * What the server's `authenticate` is given as `auth`. A function is asked for each session that is sought, and again when the server refuses what it gave
   * last, before that expires, and by `reauthenticate()`; reconnecting sends what it gave last, for that is faster. Default: nothing.
   */
  readonly auth?: Auth;
  /** The transports to choose among. Default: all. */
  readonly transports?: readonly Transport[];
  /** Whether to connect without being asked, in the microtask after `createClient`. Default: true. */
  readonly autoConnect?: boolean;
  /** How long the answer to a publish or request may take, time without a connection included, ms. Default: 15,000. */
  readonly timeoutMs?: number;
  /** `include` also sends cookies to another origin, which must allow it. Default: `same-origin`. */
  readonly credentials?: NonNullable<RequestInit['credentials']>;
  /** Headers for every request and WebSocket, for instance an app's cookies. Outside browsers only: there they would need a preflight. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Lets all tabs of the origin that connect to this URL use one session and one link, in a `SharedWorker` or in one of the tabs. They are one client to the
   * server: one user, one `meta.by`. Where a page cannot (no Web Locks, as without TLS), or what it takes cannot be loaded, it has a session of its own.
   * Default: false.
   */
  readonly share?: boolean | ShareOptions;
  /** The first handler of `onState`. */
  readonly onState?: (state: ConnectionState) => void;
  /**
   * Told what an event handler throws, and of an event with handlers that the server does not have (`unknown_event`). Default: what a handler throws is
   * thrown in a microtask, and so reaches the page's or process's handler of uncaught errors; the other is written to the console.
   */
  readonly onError?: (error: unknown) => void;
  /** Replaces parts of what the client runs on, for tests. */
  readonly environment?: Partial<Environment>;
}

export interface UseOptions {
  /** How long the transport may take to prove itself, ms. Default: 10,000. */
  readonly timeoutMs?: number;
}

/** What follows a pattern: its parameters, where it has some, and options. */
export type ChannelArguments<K extends string> = [...params: ParamsTuple<K>, options?: ChannelOptions];

const TIMEOUT_MS = 15_000;
const USE_TIMEOUT_MS = 10_000;

/** A connection to one server. Made by {@link createClient}. */
export class Client<C extends Contract<C>> extends Closable {
  readonly #driver: Driver;
  readonly #environment: Environment;
  readonly #shared: SharedChannels;
  readonly #states: Listeners<[state: ConnectionState]>;
  readonly #attempts = new AttemptLog();
  readonly #transports: readonly Transport[];
  /** Gives up the wait of the `use` before. */
  #supersede: () => void = () => {};

  constructor(url: string | URL, options: ClientOptions) {
    super();
    const {
      auth,
      autoConnect = true,
      credentials = 'same-origin',
      headers = {},
      onState,
      share = false,
      timeoutMs = TIMEOUT_MS,
    } = options;
    const environment = { ...defaultEnvironment(), ...options.environment };
    const report = options.onError ?? rethrow;
    this.#environment = environment;
    this.#transports = checkTransports(options.transports ?? TRANSPORTS);
    this.#states = new Listeners(report);
    if (onState !== undefined) this.#states.add(onState);
    const channels = new ClientChannels({
      random: environment.random,
      onState: (state) => this.#states.emit(state),
      onAttempt: (attempt) => this.#attempts.note(attempt),
      // Where it fails, the credentials expire, and are asked for then.
      onRefresh: () => void this.reauthenticate(),
    });
    this.#shared = new SharedChannels({
      core: channels,
      driver: () => this.#driver,
      newId: environment.newId,
      report,
      warn: options.onError ?? ((error) => console.error(error.message)),
      timeoutMs,
    });
    this.#driver = new Driver({
      environment,
      endpoint: resolveEndpoint(url),
      transports: this.#transports,
      auth,
      credentials,
      headers,
      timeoutMs,
      channels,
      beforeTurn: () => this.#shared.settle(),
      onSocketFailure: (reason, at) =>
        this.#attempts.note({ at, transport: 'websocket', step: 'open', outcome: 'failed', tookMs: 0, reason }),
      // Where it cannot be loaded each tab has a session of its own.
      loadShare: share
        ? (of) => import('./share/index.ts').then((code) => code.shareSession(share, of, machinery)).catch(() => null)
        : undefined,
    });
    if (autoConnect) {
      queueMicrotask(() => {
        if (this.state.status === 'idle') this.#driver.start();
      });
    }
  }

  /**
   * Connects, again after `close()` too; calls that wait are then sent. Resolves when there is a session; handlers added by who awaits it miss nothing. The
   * promise need not be awaited.
   * @throws RunnelError as rejection, with the code for which the client is closed instead
   */
  connect(): Promise<void> {
    this.#driver.start();
    return handled(this.#until((state) => state.status === 'open').done);
  }

  /**
   * Ends the session, for the server too. Calls that were not answered reject, iterators and observers of messages come to their end; handlers stay, for a
   * later `connect()`. Once it is closed, closing it does nothing.
   */
  close(reason = 'closed by the application'): void {
    this.#driver.close(reason);
  }

  /**
   * Asks the `auth` option anew and hands what it gives to the server, for the session that goes on: after a login, or when rights have changed. The
   * promise need not be awaited.
   * @throws RunnelError as rejection: `unauthorized` or `forbidden` where the server refuses it, `timeout`, `disconnected`; or what `auth` throws
   */
  reauthenticate(): Promise<void> {
    return handled(this.#driver.reauthenticate());
  }

  /**
   * Allows this transport only, or with `auto` those of the options again, and resolves when one of them carries the session.
   * @throws RunnelError as rejection: `transport_unavailable` where it is not proven in time, and then what was allowed before is allowed again;
   *   `canceled` where `use` was called again meanwhile
   */
  use(transport: Transport | 'auto', { timeoutMs = USE_TIMEOUT_MS }: UseOptions = {}): Promise<void> {
    this.#supersede();
    const before = this.#driver.choice;
    this.#driver.use(transport);
    const wait = this.#until(
      (state) => state.status === 'open' && (transport === 'auto' || state.transport === transport),
    );
    this.#supersede = () => wait.fail(new RunnelError('canceled', `use("${transport}") was followed by another.`));
    const callOff = this.#environment.after(timeoutMs, () => {
      wait.fail(new RunnelError('transport_unavailable', `${transport} was not proven within ${timeoutMs} ms.`));
      this.#driver.use(before);
    });
    return handled(wait.done.finally(callOff));
  }

  /** Where the connection stands. */
  get state(): ConnectionState {
    return this.#driver.session.state;
  }

  /** Calls `handler` when `state` changes; returns what stops that. */
  onState(handler: (state: ConnectionState) => void): () => void {
    return this.#states.add(handler);
  }

  /** What was tried to get through, with what outcome, and how things stand. */
  diagnose(): Diagnosis {
    const { client, counts, roundTripMs, sharing = null, state } = this.#driver.session;
    const transport = state.status === 'open' ? state.transport : null;
    return {
      at: this.#driver.now(),
      state,
      transport,
      choice: this.#driver.choice,
      transports: this.#transports,
      roundTripMs,
      client,
      sharing,
      counts: { ...counts },
      attempts: this.#attempts.list(),
    };
  }

  /**
   * A handle of one channel: `client.channel('room/:roomId', { roomId: 'lobby' }, { rewind: 50 })`.
   * @throws RunnelError `channel_invalid` for a parameter that is missing or empty, or a name that gets longer than 256 characters
   */
  channel<K extends PatternOf<C>>(pattern: K, ...args: ChannelArguments<K>): ClientChannel<C, K> {
    const rest: readonly unknown[] = args;
    const [params, options] = pattern.includes(':') ? rest : [undefined, ...rest];
    const name = channelName(pattern, (params ?? {}) as Readonly<Record<string, unknown>>);
    return new ClientChannel(this.#shared, name, options ?? {});
  }

  /** Waits for a state; rejects where the client is closed instead, or by `fail`. */
  #until(isDone: (state: ConnectionState) => boolean): { done: Promise<void>; fail: (error: RunnelError) => void } {
    let off = (): void => {};
    let fail = (_error: RunnelError): void => {};
    const done = new Promise<void>((resolve, reject) => {
      fail = reject;
      const look = (state: ConnectionState): void => {
        if (isDone(state)) resolve();
        else if (state.status === 'closed')
          reject(new RunnelError(state.code, `The client is closed: ${state.reason}`));
        else return;
        this.#driver.giveWay();
      };
      off = this.#states.add(look);
      look(this.state);
    });
    return { done: done.finally(off), fail };
  }
}

/**
 * Connects to a Runnel server.
 *
 * @typeParam C the contract, as a type: `createClient<AppContract>('/realtime')`
 * @param url the server's path, relative to the page, or its http(s) or ws(s) URL
 * @throws TypeError for a URL or transports that cannot be
 */
export function createClient<C extends Contract<C>>(url: string | URL, options: ClientOptions = {}): Client<C> {
  return new Client<C>(url, options);
}

function checkTransports(transports: readonly Transport[]): readonly Transport[] {
  if (transports.length > 0 && transports.every((transport) => TRANSPORTS.includes(transport))) return transports;
  throw new TypeError(
    `transports is [${transports.join(', ')}]; it must name at least one of ${TRANSPORTS.join(', ')}.`,
  );
}

/** A promise that may be ignored: its rejection is nobody's fault. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => {});
  return promise;
}

function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
