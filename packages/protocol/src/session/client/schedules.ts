/** When to try again: after failures to attach, and upward to a better transport. */

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
/** The network is tried at least this often… */
const OFTEN_MS = 1_000;
/** …while it has been out for less than this many times as long: who was away for longer may be late by this part of that. */
const OUTAGE_PARTS = 20;
/** Of the time without doubt, this much is enough to try another connection as well: the first may be dead. */
export const HASTY: number = 1 / 3;

/** The longest pause between two attempts, ms, when nothing has worked for `outageMs`. */
export function longestPauseMs(outageMs: number): number {
  return Math.min(LONGEST_DELAY_MS, Math.max(OFTEN_MS, outageMs / OUTAGE_PARTS));
}

/** Full jitter: anywhere between nothing and an exponentially growing bound. `failures` ≥ 1. */
export function backoffMs(failures: number, random: () => number, longestMs: number = LONGEST_DELAY_MS): number {
  return random() * Math.min(longestMs, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 16));
}

/** How long an unanswered attach is waited for: grows so that a slow server is not asked for ever in vain. */
export function attachPatienceMs(patience: number, failures: number): number {
  return Math.min(Math.max(LONGEST_DELAY_MS, patience), patience * 1.5 ** Math.min(failures, 8));
}

const PROBE_DELAYS_MS = [2_000, 8_000, 30_000, 60_000] as const;
const PROBE_LAST_MS = 240_000;

/** When a transport better than the one in use is tried next. It is never given up. */
export class ProbeSchedule {
  readonly #random: () => number;
  /** Raised by `failed`, 0 again by `reset`. */
  #failures = 0;
  /** Moved by each of `failed`, `reset` and `defer`. */
  #dueAt = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Failures in a row while another transport worked: those say something about the network. */
  get failures(): number {
    return this.#failures;
  }
  get dueAt(): number {
    return this.#dueAt;
  }

  failed(now: number): void {
    const delay = PROBE_DELAYS_MS[this.#failures] ?? PROBE_LAST_MS;
    this.#failures += 1;
    this.#dueAt = now + delay * (0.75 + this.#random() / 2);
  }

  /** It works, or the network has changed: forget what was learned, and try at once when it is wanted. */
  reset(now: number): void {
    this.#failures = 0;
    this.#dueAt = now;
  }

  /** Not before then, without a verdict. */
  defer(until: number): void {
    this.#dueAt = until;
  }
}
