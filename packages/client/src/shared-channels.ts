/** The channels of one client by name, and what is sent to them. */
import { type ClientChannels, encodeData, RunnelError, type Settle, type Stream } from '@runnel/protocol';
import type { Driver } from './driver.ts';
import type { Report } from './listeners.ts';
import { type ChannelOwner, type Message, SharedChannel } from './shared-channel.ts';

/** How a publish or a request is made. */
export interface CallOptions {
  /** How long its answer may take, time in the queue included, ms. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number;
  /** Gives it up: it rejects with `canceled`, and a request's handler is told. */
  readonly signal?: AbortSignal;
}

/** How a publish is made. */
export interface PublishOptions extends CallOptions {
  /**
   * Names the publish, so that making it again – after `broker_failed`, `indeterminate` or `timeout`, from another page too – does not do it twice: of one
   * user's publishes to a channel under one key one is accepted, within 5 minutes. 1–64 printable ASCII characters. Default: a random one for each call.
   */
  readonly idempotencyKey?: string;
}

export interface SharedChannelsOptions {
  readonly core: ClientChannels;
  readonly driver: () => Driver;
  readonly newId: () => string;
  readonly timeoutMs: number;
  readonly report: Report;
  /** Told of a mistake in the application that stops nothing. */
  readonly warn: (error: RunnelError) => void;
}

/** What a call is beyond its message. */
interface CallKind {
  /** Makes it a publish. */
  readonly idemKey?: string | undefined;
  /** Makes it a request whose answer is streamed. */
  readonly stream?: Stream;
  readonly settle: Settle;
}

/** How a streamed answer is taken. */
export interface StreamedCall extends Stream {
  readonly settle: Settle;
}

/** A call under way. */
export interface CallHandle {
  /** Gives it up, unless it is settled. */
  cancel(): void;
  /** Allows that many more parts of a streamed answer. */
  allow(parts: number): void;
}

/** The longest time a call may take: what timers and the wire take. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export class SharedChannels implements ChannelOwner {
  readonly core: ClientChannels;
  readonly report: Report;
  readonly warn: (error: RunnelError) => void;
  readonly #options: SharedChannelsOptions;
  readonly #byName = new Map<string, SharedChannel>();
  /** Channels whose holds have changed since the last turn. */
  readonly #changed = new Set<SharedChannel>();
  /** Those that the core has been asked to subscribe. */
  readonly #subscribed = new Set<SharedChannel>();

  constructor(options: SharedChannelsOptions) {
    this.core = options.core;
    this.report = options.report;
    this.warn = options.warn;
    this.#options = options;
  }

  /** The one of this name that is used; null where none is. */
  find(name: string): SharedChannel | null {
    return this.#byName.get(name) ?? null;
  }

  /** The one of this name. It is forgotten at the end of the turn unless it is used by then. */
  get(name: string): SharedChannel {
    let channel = this.#byName.get(name);
    if (channel === undefined) {
      channel = new SharedChannel(name, this);
      this.#byName.set(name, channel);
    }
    return channel;
  }

  changed(channel: SharedChannel): void {
    this.#changed.add(channel);
    this.#options.driver().touch();
  }

  giveWay(): void {
    this.#options.driver().giveWay();
  }

  /** Tells the core what is wanted by now. A channel that was let go of and held again in one turn stays as it is. */
  settle(): void {
    for (const channel of this.#changed) {
      // First, because a handler of its state may change it again.
      this.#changed.delete(channel);
      const { name, options } = channel;
      if (!channel.held) {
        if (this.#subscribed.delete(channel)) this.core.unsubscribe(name);
        channel.idle();
      } else if (!this.#subscribed.has(channel)) {
        this.#subscribed.add(channel);
        this.core.subscribe(name, options, channel);
      }
      if (!channel.used) this.#byName.delete(name);
    }
  }

  publish(message: Message, options: PublishOptions): Promise<void> {
    return this.#settled(message, options, options.idempotencyKey ?? this.#options.newId()).then(() => {});
  }

  request(message: Message, options: CallOptions = {}): Promise<unknown> {
    return this.#settled(message, options);
  }

  /** Asks for a streamed answer. @throws RunnelError, RangeError what `request` rejects with at once */
  stream(message: Message, options: CallOptions, { settle, ...stream }: StreamedCall): CallHandle {
    return this.#call(message, options, { stream, settle });
  }

  send({ channel, name, data }: Message): void {
    this.core.sendVolatile(channel, name, encodeData(data));
    this.#options.driver().touch();
  }

  #settled(message: Message, options: CallOptions, idemKey?: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!/^[ -~]{1,64}$/.test(idemKey ?? 'k')) throw new RangeError('idempotencyKey: 1 to 64 ASCII characters.');
      const settle: Settle = (error, data) => (error === null ? resolve(data) : reject(error));
      this.#call(message, options, { settle, idemKey });
    });
  }

  /** The payload is taken as it is now: what the application does with it later does not matter. */
  #call({ channel, name, data }: Message, { signal, timeoutMs: ms }: CallOptions, kind: CallKind): CallHandle {
    const driver = this.#options.driver();
    const timeoutMs = ms ?? this.#options.timeoutMs;
    if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs is ${timeoutMs}; it must be above 0.`);
    const json = encodeData(data);
    if (signal?.aborted) throw new RunnelError('canceled', `"${name}" was canceled before it was sent.`);
    const cancel = (): void => {
      this.core.cancel(call);
      driver.touch();
    };
    signal?.addEventListener('abort', cancel);
    const call = this.core.call(
      {
        ...kind,
        channel,
        name,
        data: json,
        timeoutMs: Math.min(timeoutMs, TIMEOUT_MS_MAX),
        settle: (error, data) => {
          signal?.removeEventListener('abort', cancel);
          kind.settle(error, data);
        },
      },
      driver.now(),
    );
    driver.touch();
    return {
      cancel,
      allow: (parts) => {
        this.core.allow(call, parts, driver.now());
        driver.touch();
      },
    };
  }
}
