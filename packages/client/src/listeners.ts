/** The application's handlers of one thing. */
export type Report = (error: unknown) => void;

export class Listeners<A extends readonly unknown[]> {
  readonly #report: Report;
  /** An object for each time a handler was added, so that one function may be added twice. */
  readonly #entries = new Set<{ readonly handler: (...args: A) => void }>();

  /** @param report is told what a handler throws; the others are called all the same */
  constructor(report: Report) {
    this.#report = report;
  }

  /** Returns what takes the handler out again. */
  add(handler: (...args: A) => void): () => void {
    const entry = { handler };
    this.#entries.add(entry);
    return () => {
      this.#entries.delete(entry);
    };
  }

  /** Handlers that are added meanwhile are not called, nor are those that are taken out. */
  emit(...args: A): void {
    for (const entry of [...this.#entries]) {
      if (!this.#entries.has(entry)) continue;
      try {
        entry.handler(...args);
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
