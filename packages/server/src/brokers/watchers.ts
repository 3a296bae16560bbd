import type { BrokerWatcher } from './broker.ts';

/** Those who are told of trouble, each time it begins and ends. */
export class Watchers {
  readonly #watchers = new Set<BrokerWatcher>();
  #lost = false;

  add(watcher: BrokerWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  lost(cause: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const watcher of [...this.#watchers]) watcher.lost(cause);
  }

  restored(): void {
    if (!this.#lost) return;
    this.#lost = false;
    for (const watcher of [...this.#watchers]) watcher.restored();
  }
}
