/**
 * One channel that is wanted: where it stands in the channel's log, and what is told of it.
 *
 * The position only ever moves forward within an epoch. A message at or below it was had already; one whose predecessor lies above it shows that
 * something is missing (PROTOCOL §5.16).
 */
import type { Code } from '../errors.ts';
import type {
  AppDownFrame,
  MessageFrame,
  Position,
  PresenceChange,
  PresenceEntry,
  Subscribed,
  SubscribeOptions,
} from '../wire/frames.ts';

/** Where a subscription stands. */
export type SubscriptionState =
  /** Nobody wants it. */
  | { readonly status: 'idle' }
  /** Wanted, and not answered yet: it may be that there is no connection. */
  | { readonly status: 'subscribing' }
  /** `recovered`: whether all that was missed since the position asked for follows; null where none was asked for. */
  | { readonly status: 'subscribed'; readonly recovered: boolean | null }
  | {
      readonly status: 'failed';
      /** What it was refused or ended with, or what the client was closed with. */
      readonly code: Code;
      readonly message: string;
      /** When it is tried again, on the core's clock, ms; Infinity: the client is closed; null: trying again is of no use in this session. */
      readonly retryAt: number | null;
    };

/** How a message came. */
export interface EventMeta {
  /** Names the message within its channel; null for a volatile one. */
  readonly id: string | null;
  /** Place in the channel's log, from 1; null for a volatile message. */
  readonly offset: number | null;
  /** Public name of the session whose publish caused it; null where none did. */
  readonly by: string | null;
  /** Whether that was this client, in this or an earlier session. */
  readonly self: boolean;
  /**
   * Whether it was missed earlier and is made up for from the channel's history; false for messages that `rewind` brings.
   */
  readonly recovered: boolean;
}

/** Messages that this subscriber will not get. */
export type Gap =
  /** A session was lost, and the channel's history does not reach back to where this subscriber stood. */
  | { readonly reason: 'positionLost' }
  /** The channel's policy dropped these offsets for this subscriber, both ends included. */
  | { readonly reason: 'skipped'; readonly from: number; readonly to: number };

/** Who wants a channel. None of these may throw. */
export interface SubscriptionListener {
  state(state: SubscriptionState): void;
  message(event: string, data: unknown, meta: EventMeta): void;
  gap(gap: Gap): void;
  /** The channel's state, with whatever happened up to `position` and perhaps something of what follows; messages above it follow. */
  snapshot(data: unknown, position: Position): void;
  /** Who is present has changed; the map is live. */
  presence(members: ReadonlyMap<string, PresenceEntry>): void;
}

/** What a subscription begins as. */
export interface Wish {
  readonly id: number;
  readonly name: string;
  readonly from: SubscribeOptions;
  readonly listener: SubscriptionListener;
}

type VolatileFrame = Extract<AppDownFrame, readonly [9, ...unknown[]]>;

const SUBSCRIBING: SubscriptionState = { status: 'subscribing' };

export class Subscription {
  readonly name: string;
  readonly #listener: SubscriptionListener;
  readonly #rewind: number | undefined;
  /** Of the subscribe that was asked last, or of the first one to come. */
  id: number;
  /** The channel's number in this incarnation; null while it is not subscribed. */
  n: number | null = null;
  /** Whether the server has it, or was asked for it, in this incarnation. */
  known = false;
  /** When to ask for it, where it waits to be asked for. */
  askAt = 0;
  /** Gaps and refusals in a row without a message. */
  failures = 0;
  #state: SubscriptionState = SUBSCRIBING;
  /** The position; no epoch: it has none yet. */
  #epoch: string | null;
  #offset: number;
  #events: readonly string[] = [];
  /** Whether a snapshot was announced that has not come: the position is of no use without it. */
  #stateless = false;
  /** Messages up to here were missed earlier. */
  #recoveredTo = 0;
  readonly #members = new Map<string, PresenceEntry>();

  constructor({ id, name, from: { rewind, since }, listener }: Wish) {
    this.name = name;
    this.id = id;
    this.#listener = listener;
    this.#rewind = rewind;
    this.#epoch = since?.epoch ?? null;
    this.#offset = since?.offset ?? 0;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  /** After the last message applied; null before the first answer. */
  get position(): Position | null {
    return this.#epoch === null ? null : { epoch: this.#epoch, offset: this.#offset };
  }

  /** Their names by index, as the last answer gave them. */
  get events(): readonly string[] {
    return this.#events;
  }

  /** Whether it has failed for good. */
  get over(): boolean {
    return this.#state.status === 'failed' && this.#state.retryAt === null;
  }

  /** What to ask for: to go on from where it stands. */
  get from(): SubscribeOptions {
    const since = this.position;
    if (since !== null && !this.#stateless) return { since };
    return this.#rewind === undefined ? {} : { rewind: this.#rewind };
  }

  subscribing(): void {
    this.n = null;
    if (this.#state !== SUBSCRIBING) this.#setState(SUBSCRIBING);
  }

  fail(code: Code, message: string, retryAt: number | null): void {
    this.n = null;
    this.#setState({ status: 'failed', code, message, retryAt });
  }

  handleSubscribed({ n, epoch, offset, events, presence, head, snapshot = false, ...said }: Subscribed): void {
    // A session that has moved goes on from where its node stood, which may have missed what no log has.
    const recovered =
      said.recovered === true && epoch === this.#epoch && offset > this.#offset ? false : said.recovered;
    this.n = n;
    this.#events = events;
    this.#stateless = snapshot;
    // While the answer was on its way another link may have brought more of the same log.
    this.#offset = epoch === this.#epoch ? Math.max(this.#offset, offset) : offset;
    this.#epoch = epoch;
    this.#recoveredTo = recovered === null ? 0 : head;
    this.#setState({ status: 'subscribed', recovered });
    if (recovered === false) this.#listener.gap({ reason: 'positionLost' });
    if (presence === undefined) return;
    this.#members.clear();
    this.handlePresence({ joined: presence });
  }

  /** Takes a message. False, and not taken: one before it is missing. */
  handleMessage([, , place, event, data, meta]: MessageFrame, self: boolean): boolean {
    const [offset, prev] = typeof place === 'number' ? [place, place - 1] : place;
    if (offset <= this.#offset) return true;
    if (prev > this.#offset) return false;
    this.#offset = offset;
    this.failures = 0;
    this.#deliver(event, data, {
      id: `${this.#epoch}-${offset}`,
      offset,
      by: meta?.by ?? null,
      self,
      recovered: offset <= this.#recoveredTo,
    });
    return true;
  }

  handleVolatile([, , event, data, meta]: VolatileFrame, self: boolean): void {
    this.#deliver(event, data, { id: null, offset: null, by: meta?.by ?? null, self, recovered: false });
  }

  /** PROTOCOL §5.23. False, and not taken: one before it is missing. */
  handleSkipped(from: number, to: number): boolean {
    const due = this.#offset + 1;
    if (to < due) return true;
    if (from > due) return false;
    this.#offset = to;
    this.#listener.gap({ reason: 'skipped', from: due, to });
    return true;
  }

  handleSnapshot(data: unknown): void {
    const { position } = this;
    this.#stateless = false;
    if (position !== null) this.#listener.snapshot(data, position);
  }

  handlePresence({ joined = [], left = [] }: PresenceChange): void {
    for (const member of joined) this.#members.set(member.id, member);
    for (const id of left) this.#members.delete(id);
    this.#listener.presence(this.#members);
  }

  #deliver(event: number, data: unknown, meta: EventMeta): void {
    const name = this.#events[event];
    if (name !== undefined) this.#listener.message(name, data, meta);
  }

  #setState(state: SubscriptionState): void {
    this.#state = state;
    this.#listener.state(state);
  }
}
