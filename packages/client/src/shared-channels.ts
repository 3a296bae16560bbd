/** The channels of one client by name, and what is sent to them. */
import { type ClientChannels, encodeData, type Position, RunnelError } from '@runnel/protocol';
import type { Driver } from './driver.ts';
import type { Report } from './listeners.ts';
import { SharedChannel } from './shared-channel.ts';

/** How a publish or a request is made. */
export interface CallOptions {
  /** How long its answer may take, time in the queue included, ms. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number;
  /** Gives it up: it rejects with `canceled`, and a request's handler is told. */
  readonly signal?: AbortSignal;
}

export interface SharedChannelsOptions {
  readonly channels: ClientChannels;
  readonly driver: () => Driver;
  readonly newId: () => string;
  readonly timeoutMs: number;
  readonly report: Report;
}

/** What is published, asked or sent, to which channel, under which name. */
interface Message {
  readonly channel: string;
  readonly name: string;
  readonly data: unknown;
}

/** The same, for a publish or request, with its payload as JSON. */
interface Encoded extends Message {
  readonly data: string;
  readonly idemKey?: string;
}

/** The longest time a call may take: what timers and the wire take. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

export class SharedChannels {
  readonly #options: SharedChannelsOptions;
  readonly #byName = new Map<string, SharedChannel>();
  /** Channels whose holds have changed since the last turn. */
  readonly #changed = new Set<SharedChannel>();
  /** Those that the core has been asked to subscribe. */
  readonly #subscribed = new Set<SharedChannel>();

  constructor(options: SharedChannelsOptions) {
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
      channel = new SharedChannel({
        name,
        report: this.#options.report,
        changed: (changed) => {
          this.#changed.add(changed);
          this.#options.driver().touch();
        },
        request: (method, data) => this.request({ channel: name, name: method, data }, {}),
      });
      this.#byName.set(name, channel);
    }
    return channel;
  }

  position(name: string): Position | null {
    return this.#options.channels.position(name);
  }

  /** Tells the core what is wanted by now. A channel that was let go of and held again in one turn stays as it is. */
  settle(): void {
    for (const channel of this.#changed) {
      // First, because a handler of its state may change it again.
      this.#changed.delete(channel);
      const { name, options } = channel;
      if (!channel.held) {
        if (this.#subscribed.delete(channel)) this.#options.channels.unsubscribe(name);
        channel.idle();
      } else if (!this.#subscribed.has(channel)) {
        this.#subscribed.add(channel);
        this.#options.channels.subscribe(name, options, channel);
      }
      if (!channel.used) this.#byName.delete(name);
    }
  }

  async publish(message: Message, options: CallOptions): Promise<void> {
    await this.#call({ ...encoded(message), idemKey: this.#options.newId() }, options);
  }

  async request(message: Message, options: CallOptions): Promise<unknown> {
    return this.#call(encoded(message), options);
  }

  send({ channel, name, data }: Message): void {
    this.#options.channels.sendVolatile(channel, name, encodeData(data));
    this.#options.driver().touch();
  }

  #call(what: Encoded, options: CallOptions): Promise<unknown> {
    const { channels } = this.#options;
    const driver = this.#options.driver();
    const { signal, timeoutMs = this.#options.timeoutMs } = options;
    if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs is ${timeoutMs}; it must be above 0.`);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) throw new RunnelError('canceled', `"${what.name}" was canceled before it was sent.`);
      const cancel = (): void => {
        channels.cancel(call);
        driver.touch();
      };
      signal?.addEventListener('abort', cancel);
      const settle = (error: RunnelError | null, data: unknown): void => {
        signal?.removeEventListener('abort', cancel);
        if (error === null) resolve(data);
        else reject(error);
      };
      const call = channels.call({ ...what, timeoutMs: Math.min(timeoutMs, TIMEOUT_MS_MAX), settle }, driver.now());
      driver.touch();
    });
  }
}

/** Takes the payload as it is now: what the application does with it later does not matter. */
function encoded({ channel, name, data }: Message): Encoded {
  return { channel, name, data: encodeData(data) };
}
