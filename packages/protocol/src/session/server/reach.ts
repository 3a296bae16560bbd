/**
 * Whether a session's client can be reached: since when nothing carries the session, which its time to live counts from (PROTOCOL §8.7), and whether the
 * application was told. Between two polls a client is out of reach for a round trip, which is not worth telling anybody.
 */

/** After so long without a request, a client that polled is out of reach. */
const POLL_GONE_MS = 5_000;

export class Reach {
  readonly #tell: (reachable: boolean) => void;
  /** Since when neither a link nor a held request carries the session; null while one does. */
  #idleSince: number | null;
  /** When the last poll or POST came. */
  #requestAt: number;
  /** Whether the application was told that the client is out of reach, and nothing has carried it since. */
  #toldGone = false;

  constructor(tell: (reachable: boolean) => void, now: number) {
    this.#tell = tell;
    this.#idleSince = now;
    this.#requestAt = now;
  }

  /** As the application was told. */
  get isReachable(): boolean {
    return !this.#toldGone;
  }
  /** Infinity while something carries the session. */
  get idleSince(): number {
    return this.#idleSince ?? Number.POSITIVE_INFINITY;
  }
  /** When a client that has stopped polling is out of reach; Infinity where that was told, or while something carries the session. */
  get goneAt(): number {
    return this.#toldGone ? Number.POSITIVE_INFINITY : Math.max(this.idleSince, this.#requestAt) + POLL_GONE_MS;
  }

  /** A poll or POST has come. */
  requested(now: number): void {
    this.#requestAt = now;
  }

  /** Something carries the session. */
  carried(): void {
    this.#idleSince = null;
    if (!this.#toldGone) return;
    this.#toldGone = false;
    this.#tell(true);
  }

  /** Nothing carries it, be it for a moment. */
  letGo(now: number): void {
    this.#idleSince ??= now;
  }

  /** It is out of reach, and not for a moment. */
  gone(): void {
    if (this.#toldGone) return;
    this.#toldGone = true;
    this.#tell(false);
  }
}
