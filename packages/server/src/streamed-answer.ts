/**
 * A streamed answer (PROTOCOL §5.27): a handler's parts on their way to one client, as fast as that client takes them.
 *
 * The handler is asked for a part only while the client has allowed one and its session is not slow, so that a client that does not read
 * holds its handler back: of each stream there is at most one part that waits. Whatever ends the call ends the handler too, in its `finally`.
 */
import type { Identity, RunnelError } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { Awaitable } from './awaitable.ts';
import type { Call, CallStream } from './call.ts';

/** Parts that a client may have allowed and not been sent (PROTOCOL §3). */
const CREDIT_MAX = 1_024;
/** What one stream may send in a turn, in UTF-16 units, and what even the smallest part counts for. */
const TURN_SIZE = 16_384;
const PART_SIZE_MIN = 256;

export interface StreamedAnswerOptions<I extends Identity> {
  readonly of: AppSession<I>;
  readonly call: Call;
  /** Parts that the client allows from the start. */
  readonly credit: number;
  /** The longest wait for a part while the client has room for it, ms. */
  readonly limitMs: number;
  /** Makes JSON of what the handler yields. */
  readonly encode: (part: unknown) => Awaitable<string>;
  /** Rejects with the reason, where the session may no longer have the answer. */
  readonly check: () => Awaitable<unknown>;
  /** The handler threw when it was told to stop. */
  readonly onError: (error: unknown) => void;
}

export class StreamedAnswer<I extends Identity> implements CallStream {
  readonly #options: StreamedAnswerOptions<I>;
  /** Parts allowed and not sent. */
  #credit = 0;
  /** What is left of this turn's share. */
  #share = TURN_SIZE;
  /** Ends the wait for room; null while there is none. */
  #wake: (() => void) | null = null;

  constructor(options: StreamedAnswerOptions<I>) {
    this.#options = options;
    this.allow(options.credit);
    options.call.stream = this;
  }

  allow(credit: number): void {
    const waited = this.#credit === 0;
    this.#credit = Math.min(this.#credit + credit, CREDIT_MAX);
    if (waited) this.#wake?.();
  }

  async recheck(): Promise<void> {
    const { call, check } = this.#options;
    try {
      await check();
    } catch (refusal) {
      call.abort(refusal as RunnelError);
    }
  }

  /**
   * Sends all that `source` yields, as the client takes it, and resolves to what it returned; or to nothing when the call has ended before.
   *
   * @throws what the handler throws; TypeError where it gave nothing that can be iterated over
   */
  async send(source: unknown): Promise<unknown> {
    const { call } = this.#options;
    const iterator = iteratorOf(source);
    let open = true;
    const close = (): void => {
      if (!open) return;
      open = false;
      void this.#close(iterator);
    };
    const handleAbort = (): void => {
      close();
      this.#wake?.();
    };
    call.signal.addEventListener('abort', handleAbort);
    try {
      while (await this.#room()) {
        const next = await iterator.next();
        if (next.done) {
          open = false;
          return next.value;
        }
        await this.#part(next.value);
      }
      return undefined;
    } finally {
      call.signal.removeEventListener('abort', handleAbort);
      close();
    }
  }

  async #part(value: unknown): Promise<void> {
    const { call, limitMs, encode } = this.#options;
    const json = await encode(value);
    // Other streams of the session may have filled it since this one was asked for its part.
    if (!(await this.#room())) return;
    this.#credit -= 1;
    this.#share -= Math.max(json.length, PART_SIZE_MIN);
    call.part(json);
    call.limit(limitMs);
  }

  get #hasRoom(): boolean {
    return this.#credit > 0 && this.#share > 0 && !this.#options.of.session.slow;
  }

  /** Resolves when a part can go out; to false when the call is over. It is not the handler's time that passes meanwhile. */
  async #room(): Promise<boolean> {
    const { call, limitMs } = this.#options;
    if (this.#hasRoom || call.settled) return !call.settled;
    call.limit(null);
    while (!this.#hasRoom && !call.settled) await this.#change();
    call.limit(limitMs);
    return !call.settled;
  }

  /** Resolves when there may be room, or the call is over. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake = null;
        callOff();
        resolve();
      };
      const { session } = this.#options.of;
      const callOff =
        this.#credit === 0
          ? () => {}
          : session.whenDrained(() => {
              this.#share = TURN_SIZE;
              wake();
            });
      this.#wake = wake;
    });
  }

  async #close(iterator: Parts): Promise<void> {
    try {
      // A handler may end its own call, and a generator that runs cannot be ended from within.
      await undefined;
      await iterator.return?.();
    } catch (error) {
      if (!this.#options.call.isAbortion(error)) this.#options.onError(error);
    }
  }
}

type Parts = AsyncIterator<unknown> | Iterator<unknown>;

function iteratorOf(source: unknown): Parts {
  if (typeof source === 'object' && source !== null) {
    const { [Symbol.asyncIterator]: parts, [Symbol.iterator]: items } = source as {
      readonly [Symbol.asyncIterator]?: () => Parts;
      readonly [Symbol.iterator]?: () => Parts;
    };
    if (typeof parts === 'function') return parts.call(source);
    if (typeof items === 'function') return items.call(source);
  }
  throw new TypeError(
    'the contract says that this request yields, so its handler has to be an async generator, or to return something else that can be iterated over',
  );
}
