/**
 * A moment in which carriers wait: the application was told something by a promise, and whoever awaits it has a turn before the next line is taken, so that
 * handlers that are added there miss nothing. What waits is bounded: only microtasks run meanwhile, so it is what had come by then.
 */

/** How many microtasks it lasts. Each async function between a promise and who awaits it takes one to three. */
const TICKS = 32;

export class Pause {
  /** Microtasks to go; 0: there is no pause. */
  #ticks = 0;
  readonly #deferred: (() => void)[] = [];

  /** Begins, or begins anew. */
  begin(): void {
    const under = this.#ticks > 0;
    this.#ticks = TICKS;
    if (!under) queueMicrotask(() => this.#tick());
  }

  /** False: there is no pause. Otherwise calls `run` after it, in order; that may be during the next. */
  defer(run: () => void): boolean {
    if (this.#ticks > 0) this.#deferred.push(run);
    return this.#ticks > 0;
  }

  #tick(): void {
    this.#ticks -= 1;
    if (this.#ticks > 0) queueMicrotask(() => this.#tick());
    else for (const run of this.#deferred.splice(0)) run();
  }
}
