/**
 * Pumps the session core, which has neither clock nor timer: one timer for everything that falls due, and one flush for everything that was enqueued.
 *
 * The flush runs in `setImmediate`, after all sockets that were readable in this turn of the event loop have been read. A microtask would run after each
 * `await` of a handler, so ten publishes out of one socket read would make ten writes to every subscriber; this way they make one. Under saturation several
 * turns share a flush: see `FlushPace`.
 */
import { performance as nodePerformance } from 'node:perf_hooks';
import { FlushPace } from './flush-pace.ts';

export interface Clock {
  /** ms; never runs backwards, and need not be the time of day. */
  now(): number;
  /** Calls `run` after `ms`; the result cancels it. */
  after(ms: number, run: () => void): () => void;
  /** Calls `run` at the end of this turn. */
  defer(run: () => void): void;
  /** How long the event loop has waited for something to do, in all, ms. Absent: that is not known, and each turn writes what it has enqueued. */
  waitedMs?(): number;
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
  waitedMs: () => nodePerformance.nodeTiming.idleTime,
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
  readonly #pace = new FlushPace();
  /** Whether a flush is on its way. */
  #flushDue = false;
  /** Whether anything was enqueued in this turn. */
  #isFresh = false;

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
    this.#isFresh = true;
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#clock.defer(this.#endTurn);
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

  readonly #endTurn = (): void => {
    const now = this.#clock.now();
    const isFresh = this.#isFresh;
    this.#isFresh = false;
    if (this.#pace.holds({ now, waitedMs: this.#clock.waitedMs?.() ?? Number.NaN, isFresh })) {
      this.#clock.defer(this.#endTurn);
      return;
    }
    this.#flushDue = false;
    this.#guarded(() => this.#options.flush(Math.floor(now)));
    this.#pace.handleFlushed(this.#clock.now());
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
