/** Where sessions went that were here. Those who come later are sent after them. */
import type { Timing } from '../timing.ts';

const TOMBSTONES_MAX = 100_000;

export interface Tombstone {
  /** The generation that the session was given for. */
  readonly gen: number;
  /** The node that it was given to. */
  readonly to: string;
}

export class Tombstones {
  readonly #clock: Timing;
  readonly #keptMs: number;
  /** By sid, the oldest first. */
  readonly #bySid = new Map<string, Tombstone & { readonly until: number }>();

  /** @param keptMs for how long a session is to be found, ms */
  constructor(clock: Timing, keptMs: number) {
    this.#clock = clock;
    this.#keptMs = keptMs;
  }

  get size(): number {
    return this.#bySid.size;
  }

  get(sid: string): Tombstone | undefined {
    return this.#bySid.get(sid);
  }

  /** Where a session went that was here; null: it was not, or that was forgotten. */
  trace(sid: string): string | null {
    const tombstone = this.#bySid.get(sid);
    return tombstone !== undefined && this.#clock.now() < tombstone.until ? tombstone.to : null;
  }

  set(sid: string, { gen, to }: Tombstone): void {
    const now = this.#clock.now();
    this.#bySid.delete(sid);
    this.#bySid.set(sid, { gen, to, until: now + this.#keptMs });
    for (const [oldest, { until }] of this.#bySid) {
      if (now < until && this.#bySid.size <= TOMBSTONES_MAX) return;
      this.#bySid.delete(oldest);
    }
  }

  /** The session is here again. */
  delete(sid: string): void {
    this.#bySid.delete(sid);
  }
}
