/**
 * Whether the path that carries a session down is alive (DESIGN: suspect early, cheaply). Any byte in is life. A path is *suspect* when
 * something asked of it (a call, a ping) has brought nothing back for max(1.2 s, 4 round trips) and the time that the bytes sent may take.
 * To tell a slow handler from a dead path, a ping is due after a third of that. When nothing is asked, a ping is due when the server's own heartbeat is overdue, or
 * before the path is cut for being idle.
 */
import { HASTY } from './schedules.ts';

const SUSPECT_MIN_MS = 1_200;
const SUSPECT_ROUND_TRIPS = 4;
/** TCP, TLS and the answer. */
const HASTY_ROUND_TRIPS = 3;
/** The slowest path that must not be suspected while it works: 16 bytes a millisecond is 128 kbit/s. */
const BYTES_PER_MS = 16;
/** How late a heartbeat may be before it is asked for. */
export const HEARTBEAT_GRACE_MS = 800;
/** Frames unacknowledged for this long are asked after, even if other things come down: the way up may be mute. */
const UNTOLD_MS = 5_000;

/** Smoothed round trip time (RFC 6298 §2, without the variance). A request that opens a connection takes longer: what is quicker counts for more. */
export class RoundTrip {
  /** Moved by each sample. */
  #ms: number | null = null;

  /** Smoothed, ms; null before the first sample. */
  get ms(): number | null {
    return this.#ms;
  }

  sample(ms: number): void {
    this.#ms = this.#ms === null ? ms : this.#ms + (ms - this.#ms) / (ms < this.#ms ? 2 : 8);
  }

  /** How long an answer may take before its path is suspect, ms. `bytes` were sent to ask for it. */
  patience(bytes = 0): number {
    return Math.max(SUSPECT_MIN_MS, SUSPECT_ROUND_TRIPS * (this.#ms ?? 0)) + bytes / BYTES_PER_MS;
  }

  /** When there is reason to doubt: enough for a fresh connection, unless that is long, ms. */
  hastyMs(): number {
    return Math.min(SUSPECT_MIN_MS, Math.max(HASTY * SUSPECT_MIN_MS, HASTY_ROUND_TRIPS * (this.#ms ?? 0)));
  }
}

export class Liveness {
  readonly #roundTrip: RoundTrip;
  /** The silence after which a ping is due although nothing is asked, ms; Infinity where something else watches the path (a poll has a deadline of its own). */
  readonly #quietMs: number;
  /** When anything last came on it. */
  #heardAt: number;
  /** Since when there was no sign of life for what is asked; null when nothing is. */
  #askedAt: number | null = null;
  /** What was asked since then took this much; 0 again with `#askedAt`. */
  #askedBytes = 0;
  /** Whether the world may have changed: a path that does not answer soon is suspect. Cleared by any sign of life. */
  #doubted = false;
  /** When the ping was sent whose pong has not come; null when none is out. Unlike `askedAt` only a pong clears it. */
  #pingedAt: number | null = null;
  /** Since when the peer has told no `rx` while frames were open, or was last asked for it; null when none are. */
  #untoldSince: number | null = null;

  constructor(roundTrip: RoundTrip, quietMs: number, now: number) {
    this.#roundTrip = roundTrip;
    this.#quietMs = quietMs;
    this.#heardAt = now;
  }

  /** Anything came. `open`: what was asked last may not have arrived at all; then it is waited for anew, and for as long as its bytes may take. */
  heard(open: boolean, now: number): void {
    this.#heardAt = now;
    this.#doubted = false;
    if (!open) this.#answered();
    else if (this.#askedAt !== null) this.#askedAt = now;
  }

  #answered(): void {
    this.#askedAt = null;
    this.#askedBytes = 0;
  }

  /** Something went up that is answered. */
  asked(bytes: number, now: number): void {
    this.#askedAt ??= now;
    this.#askedBytes += bytes;
  }

  /** The peer told its `rx`; `open`: frames are still not acknowledged. `down`: it told so on the path that is watched, and not in answer to a POST. */
  told(open: boolean, down: boolean, now: number): void {
    this.#untoldSince = open ? now : null;
    if (down && !open) this.#answered();
  }

  doubt(): void {
    this.#doubted = true;
  }

  /** A counted frame went up. */
  sent(now: number): void {
    this.#untoldSince ??= now;
  }

  pinged(now: number): void {
    this.#pingedAt = now;
    if (this.#untoldSince !== null) this.#untoldSince = now;
    this.asked(0, now);
  }

  /** The pong came; returns how long it took. */
  ponged(now: number): number | null {
    const took = this.#pingedAt === null ? null : now - this.#pingedAt;
    this.#pingedAt = null;
    return took;
  }

  /** Whether a ping is out: another would tell nothing more. */
  get pinging(): boolean {
    return this.#pingedAt !== null;
  }

  /** When a ping should go up, if nothing changes. */
  pingAt(): number {
    if (this.#pingedAt !== null) return Number.POSITIVE_INFINITY;
    const quiet = this.#heardAt + this.#quietMs;
    const asked =
      this.#askedAt === null ? Number.POSITIVE_INFINITY : this.#askedAt + this.#roundTrip.patience() * HASTY;
    const untold = this.#untoldSince === null ? Number.POSITIVE_INFINITY : this.#untoldSince + UNTOLD_MS;
    return Math.min(quiet, asked, untold);
  }

  /** When the path becomes suspect, if nothing changes. */
  suspectAt(): number {
    const patience = this.#roundTrip.patience(this.#askedBytes) * (this.#doubted ? HASTY : 1);
    const asked = this.#askedAt === null ? Number.POSITIVE_INFINITY : this.#askedAt + patience;
    // Other things may come down while the way up is mute: a pong has more time, but not for ever.
    const pinged = this.#pingedAt === null ? Number.POSITIVE_INFINITY : this.#pingedAt + 3 * patience;
    return Math.min(asked, pinged);
  }
}
