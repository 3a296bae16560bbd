/** What went wrong where nobody could be told: in a promise, or on a connection. The first counts. */
export class Alarm {
  #first: unknown = null;

  raise(error: unknown): void {
    this.#first ??= error;
  }

  guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.raise(error);
    }
  }

  /** Throws what went wrong. */
  check(): void {
    if (this.#first !== null) throw this.#first;
  }
}
