/**
 * Browsers open six connections per host over HTTP/1.1, for all tabs together. So that many tabs without WebSocket leave some to the page's other requests,
 * no more than a few of them hold one open: those that have one of as many locks. Where there are no locks, those that are visible do.
 */
import type { Environment } from './environment.ts';

/** How many tabs may hold a connection open at a time. */
const PLACES = 3;

export class HeldConnections {
  readonly #locks: Environment['locks'];
  readonly #origin: string;
  readonly #tell: (scarce: boolean) => void;
  /** Gives the place back, or the wait for it up, when it is aborted; null: none is wanted. */
  #place: AbortController | null = null;

  /** @param tell is told whether no connection may be held open for now */
  constructor(locks: Environment['locks'], origin: string, tell: (scarce: boolean) => void) {
    this.#locks = locks;
    this.#origin = origin;
    this.#tell = tell;
  }

  /** Whether one is to be held open, or would be. */
  want(wanted: boolean): void {
    if (wanted === (this.#place !== null)) return;
    this.#place?.abort();
    this.#place = wanted ? new AbortController() : null;
    if (this.#place !== null) this.#ask(this.#place.signal);
  }

  #ask(signal: AbortSignal): void {
    const { document } = globalThis;
    const look = (): void => this.#tell(document.visibilityState === 'hidden');
    if (isMultiplexed(this.#origin)) this.#tell(false);
    else if (this.#locks) {
      this.#tell(true);
      let had = false;
      const take = (): Promise<void> =>
        new Promise((resolve) => {
          // One is enough.
          if (had || signal.aborted) return resolve();
          had = true;
          signal.addEventListener('abort', () => resolve());
          this.#tell(false);
        });
      for (let n = 0; n < PLACES; n += 1)
        // It fails where it is given up, or where the page may have no locks: then its connections stay scarce.
        this.#locks.request(`runnel:held:${this.#origin}:${n}`, { signal }, take).catch(() => {});
    } else if (document) {
      document.addEventListener('visibilitychange', look, { signal });
      look();
    }
  }
}

/** Whether what was fetched from there came over a connection that takes any number of requests. */
const isMultiplexed = (origin: string): boolean =>
  performance
    .getEntries()
    .some(
      (entry) => entry.name.startsWith(origin) && /^h[23]/.test((entry as PerformanceResourceTiming).nextHopProtocol),
    );
