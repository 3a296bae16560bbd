/** Whether the session needs another link than the one it has, why, and when that may be sought: at once, after a growing pause, or when the server allows. */
import { type Code, isCode } from '../../errors.ts';
import { backoffMs, longestPauseMs } from './schedules.ts';

export class Recovery {
  readonly #random: () => number;
  /** Whether an attach is needed. Set by `want` and `backOff`, cleared by `done`. */
  #due = true;
  /** When it is sought without a proven way; meaningful while due. */
  #retryAt = 0;
  /** Until when the server wants to be left alone. Set by a pause that it asked for; over when it is past, or by `done`. */
  #notBefore = 0;
  /** Attempts in a row that failed, or links that hardly lived; 0 again by `want`, after a link that worked. */
  #failures = 0;
  /** When the trouble began, or the network may have become another since; meaningful while due. */
  #since = 0;
  /** Why the last link was not trusted any more, or the last attempt failed: a code where one says it all. */
  #reason = '';
  /** The last reason that was a code, since the link was trusted. */
  #code: Code = 'link_lost';

  constructor(random: () => number) {
    this.#random = random;
  }

  get due(): boolean {
    return this.#due;
  }
  get retryAt(): number {
    return this.#retryAt;
  }
  get failures(): number {
    return this.#failures;
  }
  get reason(): string {
    return this.#reason;
  }
  get code(): Code {
    return this.#code;
  }

  /** The longest pause until the next attempt, ms. */
  longestMs(now: number): number {
    return longestPauseMs(now - this.#since);
  }

  /** Whether the server's own pause is over, so that a proven way may be used before `retryAt`. */
  mayAttach(now: number): boolean {
    return now >= this.#notBefore;
  }

  /** What became of a link or an attempt. */
  note(reason: string): void {
    this.#reason = reason;
    if (isCode(reason)) this.#code = reason;
    else if (!this.#due) this.#code = 'link_lost';
  }

  /** At once: the last link has worked. */
  want(reason: string, now: number): void {
    this.note(reason);
    if (this.#due) return;
    this.#failures = 0;
    this.#due = true;
    this.#since = now;
    this.#retryAt = now;
  }

  /** After a pause that grows with each failure, and not before `pauseMs` that the server asked for. */
  backOff(reason: string, now: number, pauseMs = 0): void {
    this.note(reason);
    this.#failures += 1;
    if (!this.#due) this.#since = now;
    this.#due = true;
    this.#notBefore = now + pauseMs;
    // Half of it is jitter: a client that is alone in its outage does not try without pause.
    const half = (): number => (1 + this.#random()) / 2;
    this.#retryAt = Math.max(this.#notBefore, now + backoffMs(this.#failures, half, this.longestMs(now)));
  }

  /** Things may have changed: no need to wait, but for the server. */
  hasten(now: number): void {
    this.#retryAt = Math.max(this.#notBefore, Math.min(this.#retryAt, now));
  }

  /** The network may be another: an attempt at once, and others as soon as after a short outage. */
  wake(now: number): void {
    this.#since = now;
    this.hasten(now);
  }

  /** There is a link that is trusted. */
  done(): void {
    this.#due = false;
    this.#notBefore = 0;
  }
}
