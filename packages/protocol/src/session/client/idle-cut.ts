/**
 * How long a path lets a link be quiet. Some proxies close a connection after a few seconds without a byte; a link that is given one in time lives on. Two
 * cuts after about the same silence are taken for that, one may be anything.
 */

/** A shorter silence is none. */
const QUIET_MIN_MS = 1_000;
/** Of two silences the shorter is at least this part of the longer, if they are to be about the same. */
const ALIKE = 0.8;

export class IdleCut {
  /** The silence before the last cut, ms; 0: there was none. */
  #lastMs = 0;
  /** The silence that the path is known to cut after, ms; Infinity: none is known. */
  #knownMs = Number.POSITIVE_INFINITY;

  /** After so much silence a sign of life is to be asked for, ms. */
  get pingAfterMs(): number {
    return this.#knownMs / 2;
  }

  /** A link was cut after `quietMs` without a byte from the server. */
  cut(quietMs: number): void {
    const [less, more] = quietMs < this.#lastMs ? [quietMs, this.#lastMs] : [this.#lastMs, quietMs];
    this.#lastMs = quietMs;
    if (less >= QUIET_MIN_MS && less >= ALIKE * more) this.#knownMs = Math.min(this.#knownMs, less);
    // It was not for want of a byte: asking for one is of no use.
    else if (quietMs < this.pingAfterMs) this.#knownMs = Number.POSITIVE_INFINITY;
  }

  /** The network may have changed. */
  forget(): void {
    this.#lastMs = 0;
    this.#knownMs = Number.POSITIVE_INFINITY;
  }
}
