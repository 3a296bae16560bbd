/** The clock of the process, except that a test may let it leap ahead: what would have been due meanwhile is due at once. */
import type { Clock } from '@runnel/server';

interface Timer {
  readonly at: number;
  readonly run: () => void;
  readonly handle: NodeJS.Timeout;
}

const TIMER_MS_MAX = 2 ** 31 - 1;

export class ElasticClock implements Clock {
  readonly #timers = new Set<Timer>();
  #ahead = 0;

  now(): number {
    return performance.now() + this.#ahead;
  }

  after(ms: number, run: () => void): () => void {
    const fire = (): void => {
      this.#timers.delete(timer);
      run();
    };
    const timer: Timer = {
      at: this.now() + ms,
      run: fire,
      handle: setTimeout(fire, Math.min(ms, TIMER_MS_MAX)).unref(),
    };
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
    };
  }

  defer(run: () => void): void {
    setImmediate(run);
  }

  leap(ms: number): void {
    this.#ahead += ms;
    const due = [...this.#timers].filter(({ at }) => at <= this.now()).sort((a, b) => a.at - b.at);
    for (const timer of due) {
      if (!this.#timers.has(timer)) continue;
      clearTimeout(timer.handle);
      timer.run();
    }
  }
}
