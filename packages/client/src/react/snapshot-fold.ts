/**
 * The state of one channel: its snapshot, and what its events have made of it since.
 *
 * The subscription brings a snapshot where it begins, and where it has lost its position. A fold that comes to a subscription later has to ask for one.
 * While one is awaited, events are kept; when it has come, those above its position are folded into it. A reducer is so given each event once and in order,
 * but for what the snapshot knew ahead of its position.
 */
import { RunnelError } from '@runnel/client';
import type { EventMeta, Position } from '@runnel/protocol';
import type { AnyChannel, AnyMessage } from './any-channel.ts';
import type { Latest } from './latest.ts';
import { throwLater } from './throw-later.ts';

/** What an event makes of the state. By event. */
export type AnyReducers = Readonly<
  Record<string, ((state: unknown, data: unknown, meta: EventMeta) => unknown) | undefined>
>;

/** Events that are kept while a snapshot is awaited. Where there are more, the snapshot may be too old for them, and is then asked for again. */
const KEPT_MAX = 1_000;
/** How long after a failure, or after the last message that was skipped, a snapshot is asked for, ms. */
const PAUSE_MS = 1_000;

export class SnapshotFold {
  readonly #channel: AnyChannel | null;
  readonly #events: readonly string[];
  readonly #reducers: Latest<AnyReducers>;
  #state: unknown;
  /** Set while somebody is subscribed to the fold. */
  #notify: (() => void) | null = null;
  /** Whether nothing is missing between the state and the next event. */
  #isCurrent = false;
  /** Events that have come while a snapshot is awaited; null while none is. */
  #kept: AnyMessage[] | null = null;
  /** The last one that was dropped because too many were kept. */
  #dropped: AnyMessage | null = null;
  /** Calls off the question for a snapshot that is under way. */
  #reading = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(channel: AnyChannel | null, events: readonly string[], reducers: Latest<AnyReducers>) {
    this.#channel = channel;
    this.#events = events;
    this.#reducers = reducers;
    this.#state = channel === null ? undefined : freshSnapshot(channel)?.data;
  }

  /** A property, as `subscribe` is, so that it can be handed to React as it is. */
  readonly get = (): unknown => this.#state;

  readonly subscribe = (notify: () => void): (() => void) => {
    const channel = this.#channel;
    if (channel === null) return () => {};
    this.#notify = notify;
    this.#await();
    const offs = [
      channel.onSnapshot((data, { position }) => this.#begin(data, position)),
      channel.onState(() => this.#readWhatNeverComes(channel)),
      // What a channel's policy has skipped may matter to the state or not. It is not asked for again while a slow client has enough to do.
      channel.onGap(({ reason }) => (reason === 'skipped' ? this.#readLater(channel) : this.#await())),
      ...this.#events.map((event) => channel.on(event, (data, meta) => this.#take({ event, data, meta }))),
    ];
    const snapshot = freshSnapshot(channel);
    if (snapshot !== undefined) this.#begin(snapshot.data, snapshot.position);
    else if (channel.state.status === 'subscribed') this.#read(channel);
    return () => {
      for (const off of offs) off();
      clearTimeout(this.#timer);
      this.#reading.abort();
      this.#notify = null;
      this.#kept = null;
      this.#dropped = null;
    };
  };

  #await(): void {
    this.#isCurrent = false;
    this.#kept ??= [];
  }

  #take(message: AnyMessage): void {
    if (this.#kept !== null) {
      this.#kept.push(message);
      if (this.#kept.length > KEPT_MAX) this.#dropped = this.#kept.shift() as AnyMessage;
    }
    if (!this.#isCurrent) return;
    this.#state = this.#fold(this.#state, message);
    this.#notify?.();
  }

  /** A snapshot has come. */
  #begin(data: unknown, position: Position): void {
    if (this.#dropped !== null && isAbove(this.#dropped, position)) return this.#read(this.#channel as AnyChannel);
    this.#reading.abort();
    const kept = this.#kept ?? [];
    this.#kept = null;
    this.#dropped = null;
    this.#state = kept
      .filter((message) => isAbove(message, position))
      .reduce((state, message) => this.#fold(state, message), data);
    this.#isCurrent = true;
    this.#notify?.();
  }

  #fold(state: unknown, { event, data, meta }: AnyMessage): unknown {
    const reducer = this.#reducers.current[event];
    return reducer === undefined ? state : reducer(state, data, meta);
  }

  /** A subscription that goes on where it was brings no snapshot. */
  #readWhatNeverComes(channel: AnyChannel): void {
    const { state } = channel;
    if (state.status === 'subscribed' && state.recovered === true && this.#kept !== null) this.#read(channel);
  }

  #read(channel: AnyChannel): void {
    this.#reading.abort();
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    this.#kept ??= [];
    channel.readSnapshot({ signal }).then(
      ({ data, position }) => {
        if (!signal.aborted) this.#begin(data, position);
      },
      (error: unknown) => {
        if (signal.aborted) return;
        if (RunnelError.is(error) && error.retryable) this.#readLater(channel);
        else throwLater(error);
      },
    );
  }

  #readLater(channel: AnyChannel): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (channel.state.status === 'subscribed') this.#read(channel);
      else this.#kept ??= [];
    }, PAUSE_MS);
  }
}

/** The snapshot that came last, if no message has come after it. */
function freshSnapshot({ snapshot, position }: AnyChannel): AnyChannel['snapshot'] {
  const isFresh = snapshot?.position.epoch === position?.epoch && snapshot?.position.offset === position?.offset;
  return isFresh ? snapshot : undefined;
}

function isAbove({ meta: { id, offset } }: AnyMessage, position: Position): boolean {
  return offset === null || (id === `${position.epoch}-${offset}` && offset > position.offset);
}
