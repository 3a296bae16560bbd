/** What went wrong with numbered traffic. All empty: every number came once, in order. */
export interface Disorder {
  readonly lost: readonly number[];
  readonly repeated: readonly number[];
  readonly reordered: readonly number[];
}

/** Checks traffic that is numbered 0, 1, 2, … as it arrives. */
export class OrderedLog {
  readonly #seen = new Set<number>();
  readonly #repeated: number[] = [];
  readonly #reordered: number[] = [];
  /** Told to everybody who waits whenever something arrives. */
  readonly #watchers = new Set<() => void>();
  #highest = -1;

  /** Numbers that have arrived, each counted once. */
  get size(): number {
    return this.#seen.size;
  }

  readonly add = (n: number): void => {
    if (this.#seen.has(n)) this.#repeated.push(n);
    else if (n < this.#highest) this.#reordered.push(n);
    this.#seen.add(n);
    this.#highest = Math.max(this.#highest, n);
    for (const watch of this.#watchers) watch();
  };

  /** Resolves when `count` different numbers have arrived, or `failed` rejects. */
  async reach(count: number): Promise<void> {
    if (this.#seen.size >= count) return;
    await new Promise<void>((resolve) => {
      const watch = (): void => {
        if (this.#seen.size < count) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
    });
  }

  /** What is wrong, given that 0 … `count` − 1 were sent. */
  disorder(count: number): Disorder {
    const lost: number[] = [];
    for (let n = 0; n < count; n += 1) if (!this.#seen.has(n)) lost.push(n);
    return { lost, repeated: this.#repeated, reordered: this.#reordered };
  }
}

/** Of traffic that is as it should be. */
export const IN_ORDER: Disorder = { lost: [], repeated: [], reordered: [] };
