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
  RequestName,
  RequestOutput,
  SubscribeOptions,
  SubscriptionState,
  VolatileName,
} from '@runnel/protocol';
import { ClientPresence } from './presence.ts';
import type { CallOptions, SharedChannels } from './shared-channels.ts';

/** How a channel is subscribed. Where several handles share one, those of the first that has a handler count. */
export interface ChannelOptions {
  /** How many of the latest messages to receive first, from the channel's history. Default: none. */
  readonly rewind?: number;
  /** Where to go on, as `position` said earlier; then `rewind` does not count. Default: now. */
  readonly since?: Position;
}

/** Gets an event's payload, and how it came. The payload is shared by all handlers. */
export type EventHandler<C extends Contract<C>, K extends PatternOf<C>, E extends EventName<C, K>> = (
  data: EventPayload<C, K, E>,
  meta: EventMeta,
) => void;

/** What follows a request's name: its input, which may be left out where none is declared, and options. */
export type RequestArguments<I> = undefined extends I
  ? [input?: I, options?: CallOptions]
  : [input: I, options?: CallOptions];

/** A handler of one event, as `off` finds it. */
interface Added {
  readonly event: string;
  readonly handler: unknown;
  readonly off: () => void;
}

/**
 * A handle of one channel. Handles are cheap; those of one channel share its subscription, which begins in the microtask after the first handler is added
 * to any of them and ends in the microtask after the last one was taken out. Publishing and asking need no subscription.
 */
export class ClientChannel<C extends Contract<C>, K extends PatternOf<C>> {
  /** The concrete name: `room/lobby` for `room/:roomId`. */
  readonly name: string;
  readonly presence: ClientPresence<C, K>;
  readonly #channels: SharedChannels;
  readonly #options: SubscribeOptions;
  readonly #added = new Set<Added>();
  /** What `close` takes back besides. */
  readonly #kept = new Set<() => void>();
  #pinned = false;

  constructor(channels: SharedChannels, name: string, options: SubscribeOptions) {
    this.name = name;
    this.#channels = channels;
    this.#options = options;
    this.presence = new ClientPresence({ channels, name, options, keep: (off) => this.#keep(off) });
  }

  /** Calls `handler` with each event of this name, in order; returns what stops that. What it throws goes to the client's `onError`. */
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
    for (const added of [...this.#added]) {
      if (added.event === event && (handler === undefined || added.handler === handler)) added.off();
    }
  }

  /**
   * Publishes; resolves when the server has handled it and what that broadcast is accepted. Without a connection it waits in a bounded queue.
   * @throws RunnelError as rejection, for instance `validation_failed`, `forbidden`, `timeout`, `queue_full`, `indeterminate`, `disconnected`
   */
  publish<N extends AnsweredName<C, K>>(
    name: N,
    data: PublishInput<C, K, N>,
    options: CallOptions = {},
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
   * Asks, and resolves with the answer.
   * @throws RunnelError as rejection: the codes of `publish`, or the name of an error that the contract declares for this request, with its `data`
   */
  request<R extends RequestName<C, K>>(
    name: R,
    ...args: RequestArguments<RequestInput<C, K, R>>
  ): Promise<RequestOutput<C, K, R>> {
    const [input, options = {}] = args;
    const asked = this.#channels.request({ channel: this.name, name: name as string, data: input }, options);
    return asked as Promise<RequestOutput<C, K, R>>;
  }

  /** Where the channel's subscription stands. */
  get state(): SubscriptionState {
    return this.#channels.find(this.name)?.current ?? { status: 'idle' };
  }

  /** Calls `handler` when `state` changes; returns what stops that. Does not subscribe by itself. */
  onState(handler: (state: SubscriptionState) => void): () => void {
    const channel = this.#channels.get(this.name);
    return this.#keep(both(channel.onState.add(handler), channel.use()));
  }

  /** Calls `handler` where messages are missing that will not come any more; returns what stops that. */
  onGap(handler: (gap: Gap) => void): () => void {
    const channel = this.#channels.get(this.name);
    return this.#keep(both(channel.onGap.add(handler), channel.use()));
  }

  /** After the last message that was handed out; null before there is one. For `since` in a later life of the app. */
  get position(): Position | null {
    return this.#channels.position(this.name);
  }

  /**
   * Subscribes, if nothing else has, until `close()`; resolves once that is so.
   * @throws RunnelError as rejection, for instance `forbidden`, `unknown_channel`, `closed`
   */
  ready(): Promise<void> {
    const channel = this.#channels.get(this.name);
    if (!this.#pinned) {
      this.#pinned = true;
      const release = channel.hold(this.#options);
      this.#keep(() => {
        this.#pinned = false;
        release();
      });
    }
    return channel.ready();
  }

  /** Takes out all that this handle has added, and leaves if it has entered. It may be used again. */
  close(): void {
    this.presence.close();
    for (const { off } of [...this.#added]) off();
    for (const off of [...this.#kept]) off();
  }

  #add(event: string, handler: unknown, call: (data: never, meta: EventMeta) => void): () => void {
    const channel = this.#channels.get(this.name);
    const off = both(
      channel.handlersOf(event).add(call as (data: unknown, meta: EventMeta) => void),
      channel.hold(this.#options),
    );
    const added: Added = {
      event,
      handler,
      off: () => {
        this.#added.delete(added);
        off();
      },
    };
    this.#added.add(added);
    return added.off;
  }

  #keep(off: () => void): () => void {
    const kept = (): void => {
      this.#kept.delete(kept);
      off();
    };
    this.#kept.add(kept);
    return kept;
  }
}

function both(first: () => void, second: () => void): () => void {
  return () => {
    first();
    second();
  };
}
