import { RunnelError } from '@runnel/protocol';

export interface PendingCallsOptions {
  /** Calls at a time. */
  readonly callsMax: number;
  /** What they carry at a time, UTF-16 units. */
  readonly lengthMax: number;
  /** How long a call may go unanswered, ms. */
  readonly timeoutMs: number;
  /** A call was not answered in time. */
  readonly onOverdue: () => void;
}

interface Pending {
  readonly until: number;
  readonly fail: (cause: unknown) => void;
}

/**
 * What a broker was asked and has not answered: so much and no more, and each for so long and no longer. Whatever goes wrong with a call,
 * it rejects with a RunnelError.
 */
export class PendingCalls {
  readonly #options: PendingCallsOptions;
  /** In the order of `until`. */
  readonly #pending = new Set<Pending>();
  #length = 0;
  /** Due for the oldest; null while there is none. */
  #timer: NodeJS.Timeout | null = null;

  constructor(options: PendingCallsOptions) {
    this.#options = options;
  }

  run<T>(start: () => Promise<T>, length = 0): Promise<T> {
    const { callsMax, lengthMax, timeoutMs } = this.#options;
    if (this.#pending.size >= callsMax || this.#length + length > lengthMax) {
      return Promise.reject(
        new RunnelError('broker_failed', `${this.#pending.size} calls wait for the broker already; try again later`),
      );
    }
    return new Promise<T>((resolve, reject) => {
      const pending: Pending = {
        until: performance.now() + timeoutMs,
        fail: (cause) => {
          if (!this.#pending.delete(pending)) return;
          this.#length -= length;
          reject(asBrokerFailed(cause));
        },
      };
      this.#pending.add(pending);
      this.#length += length;
      this.#timer ??= setTimeout(this.#expire, timeoutMs).unref();
      // What it throws at once is an outcome as well.
      (async () => start())().then((value) => {
        if (!this.#pending.delete(pending)) return;
        this.#length -= length;
        resolve(value);
      }, pending.fail);
    });
  }

  failAll(cause: unknown): void {
    for (const { fail } of [...this.#pending]) fail(cause);
  }

  readonly #expire = (): void => {
    const { timeoutMs, onOverdue } = this.#options;
    this.#timer = null;
    const now = performance.now();
    let overdue = false;
    for (const { until, fail } of [...this.#pending]) {
      if (until > now) {
        this.#timer = setTimeout(this.#expire, until - now).unref();
        break;
      }
      overdue = true;
      fail(new RunnelError('broker_failed', `the broker has not answered for ${timeoutMs} ms`));
    }
    if (overdue) onOverdue();
  };
}

export function asBrokerFailed(cause: unknown): RunnelError {
  return RunnelError.is(cause) ? cause : new RunnelError('broker_failed', 'the broker failed', { cause });
}
