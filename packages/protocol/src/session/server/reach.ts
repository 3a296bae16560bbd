/**
 * Whether a session's client can be reached: since when nothing carries the session, which its time to live counts from (PROTOCOL §8.7), and whether the
 * application was told. A session that a link carries needs none: the link says by itself whether anybody is there. Between two polls a client is out of reach
 * for a round trip, which is not worth telling anybody.
 */

/** After so long without a request, a client that polled is out of reach. */
const POLL_GONE_MS = 5_000;

export class Reach {
  /** Since when neither a link nor a held request carries the session; null while one does. */
  #letGoAt: number | null;
  /** When the last poll or POST came. */
  #requestAt: number;
  /** Whether the application was told that the client is out of reach, and nothing has carried it since. */
  #toldGone = false;

  constructor(now: number) {
    this.#letGoAt = now;
    this.#requestAt = now;
  }

  /** As the application was told. */
  get isReachable(): boolean {
    return !this.#toldGone;
  }

  /** Whether nothing has carried the session for `ttlMs`. */
  isOver(now: number, ttlMs: number): boolean {
    return now >= this.#idleSince + ttlMs;
  }

  /** Whether a client that has stopped polling is out of reach, which was not told. */
  isGone(now: number): boolean {
    return now >= this.#goneAt;
  }

  /** When the one or the other is so next; Infinity while something carries the session. */
  dueAt(ttlMs: number): number {
    return Math.min(this.#idleSince + ttlMs, this.#goneAt);
  }

  /** A poll or POST has come. */
  requested(now: number): void {
    this.#requestAt = now;
  }

  /** Something carries the session. True: the application is to be told that the client is back. */
  carried(): boolean {
    this.#letGoAt = null;
    const wasGone = this.#toldGone;
    this.#toldGone = false;
    return wasGone;
  }

  /** Nothing carries it, be it for a moment. */
  letGo(now: number): void {
    this.#letGoAt ??= now;
  }

  /** It is out of reach, and not for a moment. True: the application is to be told. */
  gone(): boolean {
    const wasGone = this.#toldGone;
    this.#toldGone = true;
    return !wasGone;
  }

  get #idleSince(): number {
    return this.#letGoAt ?? Number.POSITIVE_INFINITY;
  }
  get #goneAt(): number {
    return this.#toldGone ? Number.POSITIVE_INFINITY : Math.max(this.#idleSince, this.#requestAt) + POLL_GONE_MS;
  }
}
