import type { NetworkChange } from '@runnel/client/diagnose';

const lookEveryMs = 1_000;
/** A page in view whose clock has stood still for so long was asleep, and its machine with it. */
const sleepMs = 5_000;
const changesMax = 20;

/** What the browser tells of the network and the machine. */
export class NetworkWatch {
  /** Oldest first. */
  readonly changes: NetworkChange[] = [];
  readonly #onChange: (change: NetworkChange) => void;

  constructor(onChange: (change: NetworkChange) => void) {
    this.#onChange = onChange;
    addEventListener('online', () => this.#note('online'));
    addEventListener('offline', () => this.#note('offline'));
    const { connection } = navigator as Navigator & { connection?: Partial<EventTarget> };
    connection?.addEventListener?.('change', () => this.#note('network'));
    let lookedAt = Date.now();
    setInterval(() => {
      const stoodStill = Date.now() - lookedAt > sleepMs;
      lookedAt = Date.now();
      if (stoodStill && document.visibilityState === 'visible') this.#note('sleep');
    }, lookEveryMs);
  }

  #note(kind: NetworkChange['kind']): void {
    const change = { at: Date.now(), kind };
    this.changes.push(change);
    if (this.changes.length > changesMax) this.changes.shift();
    this.#onChange(change);
  }
}
