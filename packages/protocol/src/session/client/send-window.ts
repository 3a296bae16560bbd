/**
 * How much may go up a socket beyond what the server has acknowledged (PROTOCOL §7.10). There is no bound until a socket is given up with something
 * open: a path may bear only so much of it, and would swallow all that waits, time and again. The next one begins with half as much, or, where the one before
 * has carried nothing, with little.
 */

/** No path is taken to bear less. */
const LEAST_BYTES = 4_096;
/** Beyond this it is no bound any more. */
const MOST_BYTES = 65_536;
/** What is acknowledged widens it by this part. */
const GROWTH = 1 / 2;

export class SendWindow {
  /** Set by `narrow`, raised by `widen`. */
  #bytes = Number.POSITIVE_INFINITY;
  /** Whether the socket has carried anything; cleared by `narrow`. */
  #carried = false;

  get bytes(): number {
    return this.#bytes;
  }

  /** A socket was given up, and `openBytes` with it. */
  narrow(openBytes: number): void {
    if (openBytes > 0) this.#bytes = Math.max(LEAST_BYTES, this.#carried ? Math.min(this.#bytes, openBytes) / 2 : 0);
    this.#carried = false;
  }

  /** The server has taken `bytes` of what was open. */
  widen(bytes: number): void {
    this.#carried ||= bytes > 0;
    this.#bytes += bytes * GROWTH;
    if (this.#bytes > MOST_BYTES) this.#bytes = Number.POSITIVE_INFINITY;
  }
}
