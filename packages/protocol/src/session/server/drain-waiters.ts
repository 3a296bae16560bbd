/** Who waits until a session takes more (PROTOCOL §8.10). Costs nothing while nobody does. */
export class DrainWaiters {
  #waiters: Set<() => void> | null = null;

  get isEmpty(): boolean {
    return this.#waiters === null;
  }

  /** Returns what calls it off. */
  add(run: () => void): () => void {
    // An entry of its own, so that one function may wait twice.
    const waiter = (): void => run();
    this.#waiters = (this.#waiters ?? new Set()).add(waiter);
    return () => void this.#waiters?.delete(waiter);
  }

  /** Calls those who wait, the first one first, for as long as nobody makes the session slow again. Who waits anew meanwhile is called another time. */
  tell(isSlow: () => boolean): void {
    const waiters = this.#waiters;
    if (waiters === null) return;
    for (const waiter of [...waiters]) {
      if (isSlow()) return;
      if (waiters.delete(waiter)) waiter();
    }
    if (waiters.size === 0 && this.#waiters === waiters) this.#waiters = null;
  }

  /** Nobody is called any more, even where that is being done. */
  clear(): void {
    this.#waiters?.clear();
    this.#waiters = null;
  }
}
