/**
 * Pumps the session core, which has neither clock nor timer: one timer for everything that falls due, and one flush for everything that was enqueued.
 *
 * The flush runs in `setImmediate`, after all sockets that were readable in this turn of the event loop have been read. A microtask would run after each
 * `await` of a handler, so ten publishes out of one socket read would make ten writes to every subscriber; this way they make one.
 */
export interface Clock {
  /** ms; never runs backwards, and need not be the time of day. */
  now(): number;
  /** Calls `run` after `ms`; the result cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` at the end of this turn. */
  defer(run: () => void): void;
}

/** The longest time that `setTimeout` takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * The clock of the process. Monotonic: a correction of the time of day must not end sessions (PROTOCOL §8.7). While the machine sleeps it stands still,
 * which only lets sessions live longer. Its timers keep no process alive; sockets do.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
  defer: (run) => void setImmediate(run),
};

/** Something that wants to be woken. */
export interface Sleeper {
  /** When `handleTimeout` is wanted; Infinity: not at all. */
  nextTimeout(): number;
  handleTimeout(now: number): void;
}

export interface DriverOptions {
  readonly clock: Clock;
  readonly sleepers: readonly Sleeper[];
  /** Writes what was enqueued. */
  readonly flush: (now: number) => void;
  /** What the application threw out of a turn of ours. */
  readonly onError: (error: unknown) => void;
}

export class Driver {
  readonly #options: DriverOptions;
  readonly #clock: Clock;
  /** When the timer goes off; Infinity while there is none. It may be early, never late. */
  #armedFor = Number.POSITIVE_INFINITY;
  /** Cancels the timer; null while there is none. */
  #cancel: (() => void) | null = null;
  /** Whether a flush is on its way. */
  #flushDue = false;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** In whole ms: such numbers take no memory of their own where they are kept. */
  now(): number {
    return Math.floor(this.#clock.now());
  }

  /** Something was enqueued. */
  requestFlush(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#clock.defer(this.#flush);
  }

  /** To be called after every turn that may have brought a deadline nearer. */
  rearm(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const sleeper of this.#options.sleepers) next = Math.min(next, sleeper.nextTimeout());
    if (next >= this.#armedFor) return;
    this.#cancel?.();
    this.#armedFor = next;
    // Timers round down, and going off early would only mean to go off twice.
    const ms = Math.min(Math.max(Math.ceil(next - this.#clock.now()), 1), TIMER_MS_MAX);
    this.#cancel = this.#clock.after(ms, this.#wake);
  }

  /** Takes the timer back. Whatever happens afterwards sets it again. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  readonly #wake = (): void => {
    this.#cancel = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
    for (const sleeper of this.#options.sleepers) {
      this.#guarded(() => sleeper.handleTimeout(this.now()));
    }
    this.rearm();
  };

  readonly #flush = (): void => {
    this.#flushDue = false;
    this.#guarded(() => this.#options.flush(this.now()));
    this.rearm();
  };

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
