/** When to try again: after failures to attach, and upward to a better transport. */

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;

/** Full jitter: anywhere between nothing and an exponentially growing bound. `failures` ≥ 1. */
export function backoffMs(failures: number, random: () => number): number {
  return random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(failures - 1, 16));
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
