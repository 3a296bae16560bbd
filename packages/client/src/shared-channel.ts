/**
 * One channel of one client, shared by all handles of its name. It is subscribed for as long as anything *holds* it: an event handler, presence, a wait
 * for `ready`. What only looks on, such as a handler of state changes, keeps the object but not the subscription.
 */
import {
  type ClientChannels,
  type EventMeta,
  type Gap,
  type Position,
  type PresenceEntry,
  RunnelError,
  type SubscribeOptions,
  type SubscriptionListener,
  type SubscriptionState,
} from '@runnel/protocol';
import { Attendance, type AttendedChannel } from './attendance.ts';
import { Listeners, type Report } from './listeners.ts';

/** What a channel needs of the client that it belongs to. */
export interface ChannelOwner {
  readonly report: Report;
  /** Told of a mistake in the application that stops nothing. */
  readonly warn: (error: RunnelError) => void;
  readonly core: Pick<ClientChannels, 'events'>;
  /** The number of holds or uses has come to nothing or to one. */
  changed(channel: SharedChannel): void;
  request(message: Message): Promise<unknown>;
  /** A promise was settled: whoever awaits it has a turn before anything else comes. */
  giveWay(): void;
}

/** What is published, asked or sent, to which channel, under which name. */
export interface Message {
  readonly channel: string;
  readonly name: string;
  readonly data: unknown;
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

export class SharedChannel implements SubscriptionListener, AttendedChannel {
  readonly name: string;
  readonly onState: Listeners<[state: SubscriptionState]>;
  readonly onGap: Listeners<[gap: Gap]>;
  readonly onSnapshot: Listeners<[snapshot: AnySnapshot]>;
  readonly attendance: Attendance;
  /** What the subscription is opened with: as the first one who holds it asks. */
  options: SubscribeOptions = {};
  readonly #owner: ChannelOwner;
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

  constructor(name: string, owner: ChannelOwner) {
    const { report } = owner;
    this.name = name;
    this.#owner = owner;
    this.onState = new Listeners(report);
    this.onGap = new Listeners(report);
    this.onSnapshot = new Listeners(report);
    this.#onMessage = new Listeners(report);
    this.#watchers = new Listeners(report);
    this.attendance = new Attendance(this, report);
  }

  get current(): SubscriptionState {
    return this.#state;
  }
  get lastSnapshot(): AnySnapshot | null {
    return this.#snapshot;
  }
  get subscribed(): boolean {
    return this.#state.status === 'subscribed';
  }
  get held(): boolean {
    return this.#holds > 0;
  }
  get used(): boolean {
    return this.#uses > 0;
  }

  /** Calls `handler` with each message of an event; returns what stops that. */
  on(event: string, handler: (data: unknown, meta: EventMeta) => void): () => void {
    return this.#listen(event, ({ data, meta }) => handler(data, meta));
  }

  /** Hands on each message of an event, or of all; returns what stops that. */
  #listen(event: string | null, next: (message: AnyMessage) => void): () => void {
    if (event === null) return this.#onMessage.add(next);
    this.#want(event);
    return this.#onMessage.add((message) => {
      if (message.event === event) next(message);
    });
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
    const offs = [this.hold(from), this.#watchers.add(look), this.#listen(event, next)];
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
    if (this.#holds === hold) this.#owner.changed(this);
    return () => {
      if (!counted) return;
      counted = false;
      this.#uses -= 1;
      this.#holds -= hold;
      this.#owner.changed(this);
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
        this.#owner.giveWay();
      };
      look(this.#state);
    });
  }

  /** Asks a request that every channel has. */
  request(name: string, data: unknown): Promise<unknown> {
    return this.#owner.request({ channel: this.name, name, data });
  }

  #want(event: string): void {
    if (!this.#wanted.has(event)) this.#wanted.set(event, false);
    if (this.subscribed) this.#checkWanted();
  }

  /** Says of each event that is wanted and that the server does not have, once, that it will never come. */
  #checkWanted(): void {
    const events = this.#owner.core.events(this.name);
    for (const [event, said] of this.#wanted) {
      if (said || events.includes(event)) continue;
      this.#wanted.set(event, true);
      this.#owner.warn(
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
    if (!this.subscribed) return;
    this.#checkWanted();
    this.attendance.handleSubscribed();
  }

  message(event: string, data: unknown, meta: EventMeta): void {
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
