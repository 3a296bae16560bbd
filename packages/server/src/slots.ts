/** Lets a number of holders in at a time; others wait in the order in which they came. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Calls `run` when there is a slot, which may be at once. Returns what gives it back, or calls off the wait; idempotent. */
  take(run: () => void): () => void {
    let over = false;
    const enter = (): void => {
      this.#free -= 1;
      run();
    };
    const leave = (): void => {
      if (over) return;
      over = true;
      if (this.#waiting.delete(enter)) return;
      this.#free += 1;
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#waiting.delete(next);
      next();
    };
    if (this.#free > 0) enter();
    else this.#waiting.add(enter);
    return leave;
  }
}
