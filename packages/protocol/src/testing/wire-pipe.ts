/**
 * One direction of a TCP connection in virtual time: in order, delayed, and, when told so, held back, mute for good, or cut in the middle.
 * What it carries are parcels (lines, bodies, ends): what a cut lets through is a prefix of them.
 */
import type { VirtualTime } from './virtual-time.ts';

interface Parcel {
  /** When it would arrive. */
  readonly at: number;
  readonly deliver: () => void;
}

export class Pipe {
  readonly #time: VirtualTime;
  readonly #delay: () => number;
  readonly #queue: Parcel[] = [];
  /** Arrival of the parcel sent last: later ones are never earlier. */
  #lastAt = 0;
  #state: 'open' | 'stalled' | 'mute' | 'closed' = 'open';

  constructor(time: VirtualTime, delay: () => number) {
    this.#time = time;
    this.#delay = delay;
  }

  send(deliver: () => void): void {
    if (this.#state === 'closed' || this.#state === 'mute') return;
    this.#lastAt = Math.max(this.#lastAt, this.#time.now + this.#delay());
    this.#queue.push({ at: this.#lastAt, deliver });
    this.#schedule(this.#lastAt);
  }

  /** Nothing arrives until `release`. */
  stall(): void {
    if (this.#state === 'open') this.#state = 'stalled';
  }

  release(): void {
    if (this.#state !== 'stalled') return;
    this.#state = 'open';
    this.#schedule(this.#time.now);
  }

  /** What is under way and all that follows is lost, and nobody is told. */
  mute(): void {
    this.#queue.length = 0;
    if (this.#state !== 'closed') this.#state = 'mute';
  }

  /** Its sender ends it: all that is under way arrives, then `after` happens. Where nothing gets through, neither does that. */
  end(after: () => void): void {
    if (this.#state === 'stalled') this.send(after);
    else if (this.#state === 'open') this.close(Number.POSITIVE_INFINITY, after);
  }

  /** Breaks it: the first `keep` parcels under way still arrive, then `after` happens. */
  close(keep: number, after: () => void): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'mute') this.#queue.length = 0;
    this.#queue.length = Math.min(this.#queue.length, keep);
    this.#state = 'open';
    this.send(after);
    this.#state = 'closed';
  }

  #schedule(at: number): void {
    this.#time.after(at - this.#time.now, () => this.#drain());
  }

  #drain(): void {
    if (this.#state === 'stalled' || this.#state === 'mute') return;
    for (let first = this.#queue[0]; first !== undefined && first.at <= this.#time.now; first = this.#queue[0]) {
      this.#queue.shift();
      first.deliver();
    }
  }
}
