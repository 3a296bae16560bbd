import type {
  AnsweredName,
  Contract,
  EventMeta,
  EventName,
  EventPayload,
  Gap,
  PatternOf,
  Position,
  PublishInput,
  RequestInput,
  RequestOutput,
  RequestYields,
  StreamedName,
  SubscribeOptions,
  SubscriptionState,
  VolatileName,
} from '@runnel/protocol';
import { type Answer, type AskedName, type RequestArguments, type RequestError, toAnswer } from './answer.ts';
import { Closable } from './disposal.ts';
import { type History, type HistoryArguments, type HistoryOptions, readHistory } from './history.ts';
import {
  type ChannelMessage,
  type EventHandler,
  iterateMessages,
  type MessageIterator,
  type MessagesOptions,
} from './messages.ts';
import { type MessageObservable, observeMessages } from './observable.ts';
import { type ChannelPresence, ClientPresence } from './presence.ts';
import type { Sink } from './shared-channel.ts';
import type { CallOptions, PublishOptions, SharedChannels } from './shared-channels.ts';
import { type ChannelSnapshot, readSnapshot, type SnapshotArguments, type SnapshotHandler } from './snapshot.ts';
import { type IterateOptions, type StreamedAnswer, streamAnswer } from './streamed-answer.ts';

/**
 * How a channel is subscribed. Where several handles share one, those count with which it begins: of what is asked for in the same turn
 * the most history.
 */
export interface ChannelOptions {
  /** How many of the latest messages to receive first, from the channel's history. Default: none. */
  readonly rewind?: number;
  /** Where to go on, as `position` said earlier; then `rewind` does not count. Default: now. */
  readonly since?: Position;
}

/** What `close` takes back. */
interface Kept {
  readonly off: () => void;
  /** Of a handler that `off` may take out. */
  readonly event?: string;
  readonly handler?: unknown;
}

/**
 * A handle of one channel. Handles are cheap; those of one channel share its subscription, which begins in the microtask after the first handler is added
 * to any of them and ends in the microtask after the last one was taken out. Publishing and asking need no subscription.
 */
export class ClientChannel<C extends Contract<C>, K extends PatternOf<C>> extends Closable {
  /** The concrete name: `room/lobby` for `room/:roomId`. */
  readonly name: string;
  readonly presence: ChannelPresence<C, K>;
  readonly #presence: ClientPresence<C, K>;
  readonly #channels: SharedChannels;
  readonly #options: SubscribeOptions;
  readonly #kept = new Set<Kept>();
  #pinned = false;

  constructor(channels: SharedChannels, name: string, options: SubscribeOptions) {
    super();
    this.name = name;
    this.#channels = channels;
    this.#options = options;
    this.#presence = new ClientPresence({ channels, name, options, keep: (...offs) => this.#keep(offs) });
    this.presence = this.#presence as ChannelPresence<C, K>;
  }

  /**
   * Calls `handler` with each event of this name, in order; returns what stops that. What it throws goes to the client's `onError`, and so does an event
   * that the server does not have (`unknown_event`).
   */
  on<E extends EventName<C, K>>(event: E, handler: EventHandler<C, K, E>): () => void {
    return this.#add(event, handler, handler);
  }

  /** Like `on`, for the next event only. */
  once<E extends EventName<C, K>>(event: E, handler: EventHandler<C, K, E>): () => void {
    const off = this.#add(event, handler, (data: EventPayload<C, K, E>, meta) => {
      off();
      handler(data, meta);
    });
    return off;
  }

  /** Takes out what `on` and `once` of this handle have added for the event: `handler`, or all. */
  off<E extends EventName<C, K>>(event: E, handler?: EventHandler<C, K, E>): void {
    for (const kept of [...this.#kept]) {
      if (kept.event === event && (handler === undefined || kept.handler === handler)) kept.off();
    }
  }

  /**
   * The messages of one event, or of all, from this call on: `for await (const { event, data, meta } of room.messages())`. What comes while nobody reads
   * waits, within `bound`. It is done when the handle or the client is closed.
   * @throws RunnelError from `next()`: `slow_consumer` beyond the bound, or the code for which the subscription has failed for good
   */
  messages<E extends EventName<C, K>>(event: E, options?: MessagesOptions): MessageIterator<ChannelMessage<C, K, E>>;
  messages(options?: MessagesOptions): MessageIterator<ChannelMessage<C, K>>;
  messages(...args: readonly unknown[]): MessageIterator<never> {
    const [event, options] = typeof args[0] === 'string' ? args : [null, args[0]];
    const feed = (sink: Sink) => this.#feed(event as string | null, sink);
    return iterateMessages(this.name, (options ?? {}) as MessagesOptions, feed) as MessageIterator<never>;
  }

  /** The same for RxJS and other libraries of observables: `from(room.observe('message'))`. The channel is subscribed while somebody observes. */
  observe<E extends EventName<C, K> = EventName<C, K>>(event?: E): MessageObservable<ChannelMessage<C, K, E>> {
    return observeMessages((sink) => this.#feed(event ?? null, sink)) as MessageObservable<never>;
  }

  /**
   * Publishes; resolves when the server has handled it and what that broadcast is accepted. Without a connection it waits in a bounded queue.
   * @throws RunnelError as rejection, for instance `validation_failed`, `forbidden`, `timeout`, `queue_full`, `broker_failed`, `indeterminate`, `disconnected`
   */
  publish<N extends AnsweredName<C, K>>(
    name: N,
    data: PublishInput<C, K, N>,
    options: PublishOptions = {},
  ): Promise<void> {
    return this.#channels.publish({ channel: this.name, name: name as string, data }, options);
  }

  /**
   * Sends what may be lost: nothing is kept for later, and there is no answer.
   * @throws RunnelError `payload_too_large` above 64 KiB, `validation_failed` for what JSON and bytes cannot say
   */
  send<N extends VolatileName<C, K>>(name: N, data: PublishInput<C, K, N>): void {
    this.#channels.send({ channel: this.name, name: name as string, data });
  }

  /**
   * Asks, and resolves with the answer. `await room.request(…).result()` is `{ ok, data }` or `{ ok, error }` instead of throwing.
   * @throws RunnelError as rejection: the codes of `publish`, or the name of an error that the contract declares for this request, with its `data`
   */
  request<R extends AskedName<C, K>>(
    name: R,
    ...args: RequestArguments<RequestInput<C, K, R>>
  ): Answer<RequestOutput<C, K, R>, RequestError<C, K, R>> {
    const [input, options = {}] = args;
    return toAnswer(
      this.#channels.request({ channel: this.name, name: name as string, data: input }, options),
    ) as Answer<never, never>;
  }

  /**
   * Asks for a streamed answer: `for await (const part of room.iterate('ask', prompt))`, and `await answer.output` for what it ends with. It is asked at
   * once, as all calls are, and the server's handler keeps at most `ahead` parts ahead of the reader.
   * @throws RunnelError from `next()`: as `request`; what came before is read first. RangeError at once for an `ahead` that cannot be
   */
  iterate<R extends StreamedName<C, K>>(
    name: R,
    ...args: RequestArguments<RequestInput<C, K, R>, IterateOptions>
  ): StreamedAnswer<RequestYields<C, K, R>, RequestOutput<C, K, R>> {
    const [input, { ahead, ...options } = {} as IterateOptions] = args;
    const message = { channel: this.name, name: name as string, data: input };
    return streamAnswer(ahead, (call) => this.#channels.stream(message, options, call)) as StreamedAnswer<never, never>;
  }

  /**
   * Reads the channel's log backwards from the newest message, or with `since` forwards, a page at a time: `const page = await room.history()`, then
   * `await page.next()`; or `for await (const page of room.history())`. Needs no subscription.
   * @throws RunnelError as rejection, for instance `forbidden`, `validation_failed`, `timeout`
   */
  history(...args: HistoryArguments<C, K>): History<ChannelMessage<C, K>> {
    return readHistory(this.#channels, this.name, (args[0] ?? {}) as HistoryOptions) as never;
  }

  /**
   * Calls `handler` with the channel's state whenever the subscription begins, unless it goes on where it was; returns what stops that. The messages that
   * follow come after. Subscribes, as `on` does.
   */
  onSnapshot(handler: SnapshotHandler<C, K>): () => void {
    const channel = this.#channels.get(this.name);
    const call = handler as (data: unknown, at: { readonly position: Position }) => void;
    const off = channel.onSnapshot.add(({ data, position }) => call(data, { position }));
    return this.#keep([off, channel.hold(this.#options)]);
  }

  /** The last snapshot that the subscription has received; undefined while there is none. */
  get snapshot(): ChannelSnapshot<C, K> | undefined {
    return (this.#channels.find(this.name)?.lastSnapshot ?? undefined) as ChannelSnapshot<C, K> | undefined;
  }

  /**
   * Asks for the channel's state as it is; needs no subscription.
   * @throws RunnelError as rejection, for instance `forbidden`, `timeout`
   */
  readSnapshot(...args: SnapshotArguments<C, K>): Promise<ChannelSnapshot<C, K>> {
    return readSnapshot(this.#channels, this.name, (args[0] ?? {}) as CallOptions) as Promise<ChannelSnapshot<C, K>>;
  }

  /** Where the channel's subscription stands. */
  get state(): SubscriptionState {
    return this.#channels.find(this.name)?.current ?? { status: 'idle' };
  }

  /** Calls `handler` when `state` changes; returns what stops that. Does not subscribe by itself. */
  onState(handler: (state: SubscriptionState) => void): () => void {
    const channel = this.#channels.get(this.name);
    return this.#keep([channel.onState.add(handler), channel.use()]);
  }

  /**
   * Calls `handler` where messages are missing that will not come any more; returns what stops that. After `positionLost` a channel with a snapshot gets
   * it anew. Does not subscribe by itself.
   */
  onGap(handler: (gap: Gap) => void): () => void {
    const channel = this.#channels.get(this.name);
    return this.#keep([channel.onGap.add(handler), channel.use()]);
  }

  /**
   * After the last message that was handed out, to iterators that have yet to be read too; null before there is one. For `since` in a later life of the app.
   */
  get position(): Position | null {
    return this.#channels.core.position(this.name);
  }

  /**
   * Subscribes, if nothing else has, until `close()`; resolves once that is so. Handlers added by who awaits it miss nothing.
   * @throws RunnelError as rejection, for instance `forbidden`, `unknown_channel`, `closed`
   */
  ready(): Promise<void> {
    const channel = this.#channels.get(this.name);
    if (!this.#pinned) {
      this.#pinned = true;
      const unpin = (): void => {
        this.#pinned = false;
      };
      this.#keep([channel.hold(this.#options), unpin]);
    }
    return channel.ready();
  }

  /** Takes out all that this handle has added, ends its iterators and observers, and leaves if it has entered. It may be used again. */
  close(): void {
    this.#presence.close();
    for (const { off } of [...this.#kept]) off();
  }

  #add(event: string, handler: unknown, call: (data: never, meta: EventMeta) => void): () => void {
    const channel = this.#channels.get(this.name);
    const added = channel.on(event, call as (data: unknown, meta: EventMeta) => void);
    return this.#keep([added, channel.hold(this.#options)], { event, handler });
  }

  /** Hands messages to `sink`, of one event or of all; returns what stops that. */
  #feed(event: string | null, sink: Sink): () => void {
    const stop = this.#channels.get(this.name).feed(event, this.#options, {
      next: sink.next,
      end: (error) => {
        kept();
        sink.end(error);
      },
    });
    const kept = this.#keep([stop]);
    return stop;
  }

  /** Returns what takes it all back. */
  #keep(offs: readonly (() => void)[], of: Omit<Kept, 'off'> = {}): () => void {
    const kept: Kept = {
      ...of,
      off: () => {
        this.#kept.delete(kept);
        for (const off of offs) off();
      },
    };
    this.#kept.add(kept);
    return kept.off;
  }
}
