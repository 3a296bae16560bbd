/**
 * Whether the path that carries a session down is alive (DESIGN: suspect early, cheaply). Any byte in is life. A path is *suspect* when
 * something asked of it (a call, a ping) has brought nothing back for max(1.2 s, 4 round trips) and the time that the bytes sent may take.
 * To tell a slow handler from a dead path, a ping is due after a quarter of that. When nothing is asked, a ping is due when the server's own heartbeat is overdue, or
 * before the path is cut for being idle.
 */
import { HASTY } from './schedules.ts';

const SUSPECT_MIN_MS = 1_200;
const SUSPECT_ROUND_TRIPS = 4;
/** What a round trip takes where none was seen. */
const UNKNOWN_MS = 500;
/** Of the time without doubt, this much passes until a ping asks. */
const ASK_PART = 1 / 4;
/** TCP, TLS and the answer. */
const HASTY_ROUND_TRIPS = 3;
/** The slowest path that must not be suspected while it works, unless it has carried more lately: 16 bytes a millisecond is 128 kbit/s. */
const BYTES_PER_MS = 16;
/** What a path carries is measured over this long at least. */
const MEASURED_MS = 250;
/** How late a heartbeat may be before it is asked for. */
export const HEARTBEAT_GRACE_MS = 800;
/** How much longer than patience a pong may take that has to wait for other things on their way down. */
const PONG_PATIENCE = 3;
const NEVER = Number.POSITIVE_INFINITY;

/** Smoothed round trip time (RFC 6298 §2, without the variance). A request that opens a connection takes longer: what is quicker counts for more. */
export class RoundTrip {
  /** Moved by each sample. */
  #ms: number | null = null;
  /** Whether there was but one sample, of a request that may have opened a connection. */
  #rough = true;
  /** What the path bore when that was measured last, or should at least. */
  #bytesPerMs = BYTES_PER_MS;
  /** What the server took since then. */
  #carriedBytes = 0;
  #carriedSince = 0;

  /** Smoothed, ms; null before the first sample. */
  get ms(): number | null {
    return this.#ms;
  }

  sample(ms: number): void {
    if (this.#ms === null) this.#ms = ms;
    else {
      this.#ms += (ms - this.#ms) / (ms >= this.#ms ? 8 : this.#rough ? 1 : 2);
      this.#rough = false;
    }
  }

  /** The server has taken `bytes` more. */
  carried(bytes: number, now: number): void {
    this.#carriedBytes += bytes;
    const ms = now - this.#carriedSince;
    if (ms < MEASURED_MS) return;
    this.#bytesPerMs = Math.max(BYTES_PER_MS, this.#carriedBytes / ms);
    this.#carriedBytes = 0;
    this.#carriedSince = now;
  }

  /** How long an answer may take before its path is suspect, ms. `bytes` were sent to ask for it. */
  patience(bytes = 0): number {
    return Math.max(SUSPECT_MIN_MS, SUSPECT_ROUND_TRIPS * (this.#ms ?? UNKNOWN_MS)) + bytes / this.#bytesPerMs;
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
  /** Since when there was no sign of life for what is asked; NEVER when nothing is. */
  #askedAt = NEVER;
  /** What was asked since then took this much; 0 again with `#askedAt`. */
  #askedBytes = 0;
  /** Whether the world may have changed: a path that does not answer soon is suspect. Cleared by any sign of life. */
  #doubted = false;
  /** When the ping was sent whose pong has not come; NEVER when none is out. Unlike `askedAt` only a pong clears it. */
  #pingedAt = NEVER;
  /** What went up before the ping and may hold it up, over how long, and what has come since and may hold up the pong, in UTF-16 units. */
  #aheadOfPing = 0;
  #aheadMs = 0;
  #aheadOfPong = 0;
  /** Since when the peer has told no `rx` while frames were open, or was last asked for it; NEVER when none are. */
  #untoldSince = NEVER;

  constructor(roundTrip: RoundTrip, quietMs: number, now: number) {
    this.#roundTrip = roundTrip;
    this.#quietMs = quietMs;
    this.#heardAt = now;
  }

  /** Anything came. `open`: what was asked last may not have arrived at all; then it is waited for anew, and for as long as its bytes may take. */
  heard(open: boolean, size: number, now: number): void {
    this.#heardAt = now;
    this.#aheadOfPong += size;
    this.#doubted = false;
    if (!open) this.#answered();
    else if (this.#askedAt !== NEVER) this.#askedAt = now;
  }

  #answered(): void {
    this.#askedAt = NEVER;
    this.#askedBytes = 0;
  }

  /** Something went up that is answered. */
  asked(bytes: number, now: number): void {
    this.#askedAt = Math.min(this.#askedAt, now);
    this.#askedBytes += bytes;
  }

  /**
   * The peer told its `rx`: it has taken `bytes` more; `open`: frames are still not acknowledged. `down`: it told so on the path that is watched, and not in
   * answer to a POST.
   */
  told(bytes: number, open: boolean, down: boolean, now: number): void {
    this.#untoldSince = open ? now : NEVER;
    this.#askedBytes = Math.max(0, this.#askedBytes - bytes);
    if (down && !open) this.#answered();
  }

  doubt(): void {
    this.#doubted = true;
  }

  /** A counted frame went up. */
  sent(now: number): void {
    this.#untoldSince = Math.min(this.#untoldSince, now);
  }

  pinged(now: number): void {
    this.#pingedAt = now;
    this.#aheadOfPing = this.#askedBytes;
    this.#aheadMs = Math.max(0, now - this.#askedAt);
    this.#aheadOfPong = 0;
    if (this.#untoldSince !== NEVER) this.#untoldSince = now;
    this.asked(0, now);
  }

  /** The pong came; returns how long it took. */
  ponged(now: number): number | null {
    const took = this.pinging ? now - this.#pingedAt : null;
    this.#pingedAt = NEVER;
    return took;
  }

  /** Whether a ping is out: another would tell nothing more. */
  get pinging(): boolean {
    return this.#pingedAt !== NEVER;
  }

  /** When a ping should go up, if nothing changes. */
  pingAt(): number {
    if (this.pinging) return NEVER;
    // Other things may come down while the way up is mute.
    const since = Math.min(this.#askedAt, this.#untoldSince);
    return Math.min(this.#heardAt + this.#quietMs, since + this.#roundTrip.patience() * ASK_PART);
  }

  /** When the path becomes suspect, if nothing changes. */
  suspectAt(): number {
    const haste = this.#doubted ? HASTY : 1;
    const askedMs = this.#roundTrip.patience(this.#askedBytes) * haste;
    // The server pongs at once: whatever else comes, a pong that does not tells of a way up that is mute.
    const carryMs = this.#roundTrip.patience(this.#aheadOfPing) - this.#aheadMs;
    const pongMs = Math.max(this.#roundTrip.patience(), carryMs) * haste;
    const heldUpMs = Math.min(pongMs + this.#aheadOfPong / BYTES_PER_MS, PONG_PATIENCE * pongMs);
    return Math.min(this.#askedAt + askedMs, this.#pingedAt + heldUpMs);
  }
}
