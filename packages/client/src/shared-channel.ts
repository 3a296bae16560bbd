/**
 * One channel of one client, shared by all handles of its name. It is subscribed for as long as anything *holds* it: an event handler, presence, a wait
 * for `ready`. What only looks on, such as a handler of state changes, keeps the object but not the subscription.
 */
import {
  type EventMeta,
  type Gap,
  type Position,
  type PresenceEntry,
  RunnelError,
  type SubscribeOptions,
  type SubscriptionListener,
  type SubscriptionState,
} from '@runnel/protocol';
import { Attendance } from './attendance.ts';
import { Listeners, type Report } from './listeners.ts';

export interface SharedChannelOptions {
  readonly name: string;
  readonly report: Report;
  /** Told of a mistake in the application that stops nothing. */
  readonly warn: (error: RunnelError) => void;
  /** The number of holds or uses has come to nothing or to one. */
  readonly changed: (channel: SharedChannel) => void;
  /** Asks a request of the channel. */
  readonly request: (method: string, data: unknown) => Promise<unknown>;
  /** The names of the channel's events, as the server says once it is subscribed. */
  readonly events: () => readonly string[];
  /** A promise was settled: whoever awaits it has a turn before anything else comes. */
  readonly giveWay: () => void;
}

/** A message of any event. */
export interface AnyMessage {
  readonly event: string;
  readonly data: unknown;
  readonly meta: EventMeta;
}

/** The channel's state up to a position of its log; messages above it follow. */
export interface AnySnapshot {
  readonly data: unknown;
  readonly position: Position;
}

/** Where messages go. */
export interface Sink {
  readonly next: (message: AnyMessage) => void;
  /** No more will come; with an error where the subscription has failed. Called once. */
  readonly end: (error: RunnelError | null) => void;
}

const IDLE: SubscriptionState = { status: 'idle' };

export class SharedChannel implements SubscriptionListener {
  readonly onState: Listeners<[state: SubscriptionState]>;
  readonly onGap: Listeners<[gap: Gap]>;
  readonly onSnapshot: Listeners<[snapshot: AnySnapshot]>;
  readonly attendance: Attendance;
  /** What the subscription is opened with: as the first one who holds it asks. */
  options: SubscribeOptions = {};
  readonly #options: SharedChannelOptions;
  readonly #handlers = new Map<string, Listeners<[data: unknown, meta: EventMeta]>>();
  readonly #onMessage: Listeners<[message: AnyMessage]>;
  /** Those who wait for a state. They hear of it before handlers do. */
  readonly #watchers: Listeners<[state: SubscriptionState]>;
  #state: SubscriptionState = IDLE;
  /** The last one received; null before one was. */
  #snapshot: AnySnapshot | null = null;
  /** Events that somebody wants to hear of; true: it was said that there is no such event. */
  readonly #wanted = new Map<string, boolean>();
  #holds = 0;
  #uses = 0;

  constructor(options: SharedChannelOptions) {
    const { name, report, request } = options;
    this.#options = options;
    this.onState = new Listeners(report);
    this.onGap = new Listeners(report);
    this.onSnapshot = new Listeners(report);
    this.#onMessage = new Listeners(report);
    this.#watchers = new Listeners(report);
    this.attendance = new Attendance(
      {
        name,
        request,
        hold: (from) => this.hold(from),
        ready: () => this.ready(),
        subscribed: () => this.#state.status === 'subscribed',
      },
      report,
    );
  }

  get name(): string {
    return this.#options.name;
  }
  get current(): SubscriptionState {
    return this.#state;
  }
  get lastSnapshot(): AnySnapshot | null {
    return this.#snapshot;
  }
  get held(): boolean {
    return this.#holds > 0;
  }
  get used(): boolean {
    return this.#uses > 0;
  }

  /** Calls `handler` with each message of an event; returns what stops that. */
  on(event: string, handler: (data: unknown, meta: EventMeta) => void): () => void {
    let handlers = this.#handlers.get(event);
    if (handlers === undefined) {
      handlers = new Listeners(this.#options.report);
      this.#handlers.set(event, handlers);
    }
    this.#want(event);
    return handlers.add(handler);
  }

  /** Holds the subscription and hands each message to `sink`, of one event or of all, until it fails for good or what this returns is called. */
  feed(event: string | null, from: SubscribeOptions, { next, end }: Sink): (error?: RunnelError | null) => void {
    let fed = true;
    const stop = (error: RunnelError | null = null): void => {
      if (!fed) return;
      fed = false;
      for (const off of offs) off();
      end(error);
    };
    const look = (state: SubscriptionState): void => {
      const error = failureOf(state);
      // What was closed on purpose has come to its end.
      if (error !== null) stop(error.code === 'closed' ? null : error);
    };
    if (event !== null) this.#want(event);
    const offs = [
      this.hold(from),
      this.#watchers.add(look),
      this.#onMessage.add((message) => {
        if (event === null || message.event === event) next(message);
      }),
    ];
    // It may have failed already. Whoever called this has to have its result before the end.
    queueMicrotask(() => look(this.#state));
    return stop;
  }

  /** Keeps the object; returns what lets it go. */
  use(): () => void {
    return this.#count(0);
  }

  /** Keeps the subscription; returns what lets it go. */
  hold(options: SubscribeOptions): () => void {
    const { since, rewind = 0 } = this.options;
    // Until it is subscribed, whoever wants more of the history may say so: which of two components comes first is chance.
    const more =
      this.#state === IDLE && since === undefined && (options.since !== undefined || (options.rewind ?? 0) > rewind);
    if (this.#holds === 0 || more) this.options = options;
    return this.#count(1);
  }

  #count(hold: 0 | 1): () => void {
    let counted = true;
    this.#uses += 1;
    this.#holds += hold;
    if (this.#holds === hold) this.#options.changed(this);
    return () => {
      if (!counted) return;
      counted = false;
      this.#uses -= 1;
      this.#holds -= hold;
      this.#options.changed(this);
    };
  }

  /** Resolves once it is subscribed. @throws RunnelError with the code it fails with, unless it is tried again by itself */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      let off: (() => void) | null = null;
      const look = (state: SubscriptionState): void => {
        const error = failureOf(state);
        if (state.status === 'subscribed') resolve();
        else if (error !== null) reject(error);
        else if (state.status === 'idle' && off !== null) {
          reject(new RunnelError('canceled', `Nobody wants ${this.name} any more.`));
        } else {
          off ??= this.#watchers.add(look);
          return;
        }
        off?.();
        this.#options.giveWay();
      };
      look(this.#state);
    });
  }

  #want(event: string): void {
    if (!this.#wanted.has(event)) this.#wanted.set(event, false);
    if (this.#state.status === 'subscribed') this.#checkWanted();
  }

  /** Says of each event that is wanted and that the server does not have, once, that it will never come. */
  #checkWanted(): void {
    const events = this.#options.events();
    for (const [event, said] of this.#wanted) {
      if (said || events.includes(event)) continue;
      this.#wanted.set(event, true);
      this.#options.warn(
        new RunnelError(
          'unknown_event',
          `"${this.name}" has no event "${event}" at the server, but: ${events.join(', ')}. Client and server may be built from different contracts.`,
        ),
      );
    }
  }

  // ——— SubscriptionListener ———

  state(state: SubscriptionState): void {
    this.#state = state;
    this.#watchers.emit(state);
    this.onState.emit(state);
    if (state.status !== 'subscribed') return;
    this.#checkWanted();
    this.attendance.handleSubscribed();
  }

  message(event: string, data: unknown, meta: EventMeta): void {
    this.#handlers.get(event)?.emit(data, meta);
    this.#onMessage.emit({ event, data, meta });
  }

  gap(gap: Gap): void {
    this.onGap.emit(gap);
  }

  snapshot(data: unknown, position: Position): void {
    this.#snapshot = { data, position };
    this.onSnapshot.emit(this.#snapshot);
  }

  presence(members: ReadonlyMap<string, PresenceEntry>): void {
    this.attendance.handleMembers(members);
  }

  /** Nobody holds it, or not any more. */
  idle(): void {
    this.#snapshot = null;
    this.attendance.handleIdle();
    if (this.#state === IDLE) this.#watchers.emit(IDLE);
    else this.state(IDLE);
  }
}

/** Why a subscription has come to nothing; null while it may still come to something by itself. */
function failureOf(state: SubscriptionState): RunnelError | null {
  const over = state.status === 'failed' && (state.retryAt === null || state.retryAt === Number.POSITIVE_INFINITY);
  return over ? new RunnelError(state.code, state.message) : null;
}
