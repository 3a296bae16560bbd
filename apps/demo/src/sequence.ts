import type { Tally } from './contract.ts';

/**
 * Checks a stream of the numbers 0, 1, 2, … for what a transport can do to it. Used at both ends of the flow test.
 *
 * A number that never came is missing; one that came after a higher one is out of order; one that came twice is repeated.
 */
export class Sequence {
  #received = 0;
  #repeated = 0;
  #disordered = 0;
  // One above the highest number taken.
  #next = 0;
  // Numbers below #next that have not come. Empty as long as nothing goes wrong.
  readonly #gaps = new Set<number>();

  take(n: number): void {
    if (n >= this.#next) {
      for (let gap = this.#next; gap < n; gap++) this.#gaps.add(gap);
      this.#next = n + 1;
      this.#received++;
    } else if (this.#gaps.delete(n)) {
      this.#disordered++;
      this.#received++;
    } else {
      this.#repeated++;
    }
  }

  /** @param expected how many numbers were sent; what is above the highest one taken is missing too */
  tally(expected = this.#next): Tally {
    return {
      received: this.#received,
      missing: this.#gaps.size + Math.max(0, expected - this.#next),
      repeated: this.#repeated,
      disordered: this.#disordered,
    };
  }
}

/** Whether everything came, once and in order. */
export function isFlawless(tally: Tally): boolean {
  return tally.missing === 0 && tally.repeated === 0 && tally.disordered === 0;
}
