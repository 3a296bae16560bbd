/**
 * The one place where a session is given its inputs and its effects are carried out.
 *
 * Inputs are taken one after another, never one within another: what an event handler of the application causes waits until the input that called it is
 * done. What the application does in one turn of the event loop (`touch`) is sent together, in the microtask that ends it.
 */
import {
  type ClientApp,
  type ClientChannels,
  ClientSession,
  type ClientSessionOptions,
  type Effect,
  encodeData,
  type SessionPort,
  type Transport,
} from '@runnel/protocol';
import type { Carrier, CarrierEvents } from './carrier.ts';
import { Clock } from './clock.ts';
import { type Auth, findCredentials } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import type { Environment } from './environment.ts';
import { HeldConnections } from './held-connections.ts';
import { exchange } from './http-exchange.ts';
import { Pause } from './pause.ts';
import type { Sharing } from './share/tab-session.ts';
import { messageOf, openSocket } from './web-socket.ts';

/** A timer that is this late was not just late: the page was frozen, or the machine asleep. */
const LATE_MS = 3_000;

/** What a driver drives: a `ClientSession`, or what stands for one that tabs share. */
export interface DrivenSession
  extends SessionPort,
    Pick<
      ClientSession,
      | 'state'
      | 'roundTripMs'
      | 'counts'
      | 'start'
      | 'close'
      | 'use'
      | 'wake'
      | 'handleCredentials'
      | 'handleCredentialsFailed'
      | 'handleOpen'
      | 'handleActivity'
      | 'handleLine'
      | 'handleEnd'
      | 'handleTimeout'
      | 'nextTimeout'
      | 'takeEffects'
    > {
  /** Absent where it has no carriers. */
  readonly handleScarcity?: ClientSession['handleScarcity'];
  /** Where it stands among the tabs that share it; absent where none do. */
  readonly sharing?: Sharing;
}

/** Makes a session; `input` calls what it is given with the time, as an input of that session. */
export type NewSession = (options: ClientSessionOptions, input: (run: (now: number) => void) => void) => DrivenSession;

export interface DriverOptions {
  readonly environment: Environment;
  readonly endpoint: Endpoint;
  readonly transports: readonly Transport[];
  /** Undefined: none. */
  readonly auth: Auth;
  readonly credentials: NonNullable<RequestInit['credentials']>;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly channels: ClientApp & Pick<ClientChannels, 'bind' | 'steer' | 'nextTimeout' | 'reauthorize'>;
  /** Called at the start of each turn: brings `channels` up to what the application wants by now. */
  readonly beforeTurn: () => void;
  /** A WebSocket failed for a reason that the session cannot see. */
  readonly onSocketFailure: (reason: string, now: number) => void;
  /** Default: sessions of its own. */
  readonly newSession?: NewSession;
  /** Loads what makes the sessions instead, before the first one starts; null: nothing does. Must not reject. */
  readonly loadShare?: ((options: DriverOptions) => Promise<NewSession | null>) | undefined;
}

/** What a session is carried by. `share` is handed it by who has it loaded: in a file of its own it would bring it all once more. */
export interface Machinery {
  readonly Driver: typeof Driver;
  readonly ClientSession: typeof ClientSession;
}

type Input = (session: DrivenSession, now: number) => void;

export class Driver {
  readonly #options: DriverOptions;
  readonly #clock: Clock;
  #session: DrivenSession;
  #newSession: NewSession;
  /** Set by the first `start`, where there is something to load. */
  #loading: Promise<void> | undefined;
  #loaded = false;
  #carriers = new Map<number, Carrier>();
  #choice: Transport | 'auto' = 'auto';
  /** What has happened and was not taken yet. */
  readonly #inputs: Input[] = [];
  #turning = false;
  /** Whether a turn is due in a microtask. */
  #touched = false;
  /** When the timer goes off, and what calls it off; Infinity while there is none. It may be early, never late. */
  #armedFor = Number.POSITIVE_INFINITY;
  #disarm: () => void = () => {};
  /** Stops watching the page; null while it is not watched, which it is from `start` until the session is closed. */
  #unwatch: (() => void) | null = null;
  /** Fresh credentials are being found out and handed to the server; null: they are not. */
  #refreshing: Promise<void> | null = null;
  readonly #pause = new Pause();
  readonly #held: HeldConnections;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#clock = new Clock(options.environment);
    this.#held = new HeldConnections(options.environment.locks, new URL(options.endpoint.http).origin, (scarce) =>
      this.#input((session, now) => session.handleScarcity?.(scarce, now)),
    );
    this.#newSession = options.newSession ?? ((session) => new ClientSession(session));
    this.#session = this.#makeSession();
  }

  get session(): DrivenSession {
    return this.#session;
  }
  get choice(): Transport | 'auto' {
    return this.#choice;
  }

  /** The time, on the core's clock, ms. */
  now(): number {
    return this.#clock.now();
  }

  /** Seeks a session, unless there is one or one is sought. */
  start(): void {
    if (this.#session.state.status === 'closed') this.#renew();
    this.#loading ??= this.#options.loadShare?.(this.#options).then((newSession) => {
      this.#loaded = true;
      this.#newSession = newSession ?? this.#newSession;
      // It may have been closed meanwhile.
      if (this.#session.state.status !== 'idle') return;
      this.#renew();
      this.start();
    });
    if (this.#loading && !this.#loaded) return;
    this.#unwatch ??= this.#options.environment.watch({
      wake: () => this.#input((session, now) => session.wake(now)),
      leave: () => this.close('the page was left'),
    });
    this.#input((session, now) => session.start(now));
  }

  #renew(): void {
    this.#session = this.#makeSession();
    this.#carriers = new Map();
    this.#session.use(this.#choice, this.now());
  }

  close(reason: string): void {
    this.#input((session, now) => session.close(now, reason));
  }

  use(choice: Transport | 'auto'): void {
    this.#choice = choice;
    this.#input((session, now) => session.use(choice, now));
  }

  /** The application has called something: a turn is due when it is done. */
  touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    queueMicrotask(() => {
      this.#touched = false;
      this.#input(() => {});
    });
  }

  /** A promise of the application was settled: who awaits it has a turn before anything else comes. */
  giveWay(): void {
    this.#pause.begin();
  }

  /** Finds out fresh credentials and hands them to the server. Rejects with what became of that. */
  reauthenticate(): Promise<void> {
    const { channels, timeoutMs } = this.#options;
    this.#refreshing ??= this.#findCredentials(true)
      .then(
        (found) =>
          new Promise<void>((resolve, reject) => {
            this.#input((session, now) => {
              session.handleCredentials(found, now);
              channels.reauthorize(encodeData(found), timeoutMs, now, (error) =>
                error === null ? resolve() : reject(error),
              );
            });
          }),
      )
      .finally(() => {
        this.#refreshing = null;
      });
    return this.#refreshing;
  }

  #makeSession(): DrivenSession {
    const { auth, channels, environment, transports } = this.#options;
    const { newId, random } = environment;
    const session: DrivenSession = this.#newSession(
      { app: channels, transports, newId, random, hasCredentials: auth !== undefined },
      (input) => this.#inputOf(session, input),
    );
    channels.bind(session);
    return session;
  }

  // ——— turns ———

  #input(input: Input): void {
    this.#inputs.push(input);
    if (this.#turning) return;
    this.#turning = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) this.#turn(next);
    } finally {
      this.#turning = false;
      this.#arm();
      const { handleScarcity, state, transport } = this.#session;
      const { status } = state;
      this.#held.want(
        handleScarcity !== undefined && status !== 'idle' && status !== 'closed' && transport !== 'websocket',
      );
      if (status === 'closed') {
        this.#unwatch?.();
        this.#unwatch = null;
      }
    }
  }

  #turn(input: Input): void {
    const { beforeTurn, channels } = this.#options;
    const session = this.#session;
    const now = this.now();
    beforeTurn();
    channels.steer(now);
    if (this.#clock.takeJump()) session.wake(now);
    input(session, now);
    channels.steer(now);
    // Requests first: in Node a WebSocket would take the warm connection of fetch's pool from them.
    const effects = session.takeEffects();
    for (const effect of effects) if (effect.type !== 'open') this.#carryOut(effect, session);
    for (const effect of effects) if (effect.type === 'open') this.#carryOut(effect, session);
  }

  /** An input that concerns `session` only, and that waits while others have their turn. */
  #inputOf(session: DrivenSession, input: (now: number) => void): void {
    this.#input((current, now) => {
      if (current !== session) return;
      if (!this.#pause.defer(() => this.#inputOf(session, input))) input(now);
    });
  }

  #arm(): void {
    const at = Math.min(this.#session.nextTimeout(), this.#options.channels.nextTimeout());
    // A timer that is no longer needed at all would keep a process alive.
    if (at >= this.#armedFor && at !== Number.POSITIVE_INFINITY) return;
    this.#disarm();
    this.#armedFor = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#disarm = this.#options.environment.after(at - this.now(), () => {
      this.#armedFor = Number.POSITIVE_INFINITY;
      this.#input((session, now) => {
        if (now - at > LATE_MS) session.wake(now);
        session.handleTimeout(now);
      });
    });
  }

  // ——— effects ———

  #carryOut(effect: Effect, session: DrivenSession): void {
    const { credentials, endpoint, environment, headers } = this.#options;
    switch (effect.type) {
      case 'open':
        this.#carriers.set(
          effect.carrier,
          openSocket({
            WebSocket: environment.WebSocket ?? environment.loadWebSocket(),
            url: endpoint.webSocket,
            headers,
            events: this.#eventsOf(effect.carrier, session),
          }),
        );
        break;
      case 'request':
        this.#carriers.set(
          effect.carrier,
          exchange({
            fetch: environment.fetch,
            url: endpoint.http,
            body: effect.body,
            credentials,
            headers,
            events: this.#eventsOf(effect.carrier, session),
          }),
        );
        break;
      case 'send':
        this.#carriers.get(effect.carrier)?.send(effect.text);
        break;
      case 'drop':
        this.#carriers.get(effect.carrier)?.drop(effect.code, effect.reason);
        this.#carriers.delete(effect.carrier);
        break;
      case 'credentials':
        this.#findCredentials(effect.refresh).then(
          (found) => this.#inputOf(session, (now) => session.handleCredentials(found, now)),
          (error) => this.#inputOf(session, (now) => session.handleCredentialsFailed(messageOf(error), now)),
        );
        break;
    }
  }

  #eventsOf(id: number, session: DrivenSession): CarrierEvents {
    const lines = (come: readonly string[]): void =>
      this.#inputOf(session, (now) => {
        if (come.length === 0) session.handleActivity(id, now);
        for (const [i, line] of come.entries()) {
          if (this.#pause.defer(() => lines(come.slice(i)))) return;
          session.handleLine(id, line, now);
        }
      });
    return {
      lines,
      open: () => this.#inputOf(session, (now) => session.handleOpen(id, now)),
      end: (end, reason) =>
        this.#inputOf(session, (now) => {
          this.#carriers.delete(id);
          if (reason !== undefined) this.#options.onSocketFailure(reason, now);
          session.handleEnd(id, end, now);
        }),
    };
  }

  #findCredentials(refresh: boolean): Promise<unknown> {
    const { auth, environment } = this.#options;
    return findCredentials(auth, refresh, environment.after);
  }
}

export const machinery: Machinery = { Driver, ClientSession };
