/** What a browser tells a page about its network and its machine, and what a test has it say. */
import type { Environment } from '@runnel/client';

export class Page {
  readonly #wakes = new Set<() => void>();
  /** Timers that are due while the machine sleeps; null: it does not. */
  #due: (() => void)[] | null = null;
  #asleepMs = 0;

  readonly environment: Partial<Environment> = {
    wallMs: () => Date.now() + this.#asleepMs,
    after: (ms, run) => {
      let over = false;
      const ring = (): void => {
        if (over) return;
        if (this.#due === null) run();
        else this.#due.push(ring);
      };
      const timer = setTimeout(ring, Math.max(Math.ceil(ms), 1));
      return () => {
        over = true;
        clearTimeout(timer);
      };
    },
    watch: ({ wake }) => {
      this.#wakes.add(wake);
      return () => this.#wakes.delete(wake);
    },
  };

  /** `online`, `change` of the connection and the like. */
  wake(): void {
    for (const wake of this.#wakes) wake();
  }

  /** No timer goes off any more. */
  fallAsleep(): void {
    this.#due = [];
  }

  /** `ms` have passed, for the clock that everybody sets; the other stood still. */
  awake(ms: number): void {
    const due = this.#due ?? [];
    this.#due = null;
    this.#asleepMs += ms;
    for (const ring of due) ring();
  }
}
