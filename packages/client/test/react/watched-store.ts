/** What React would show of a store: its value at first, and after each change that it is told of. */
export interface Store<T> {
  readonly get: () => T;
  readonly subscribe: (notify: () => void) => () => void;
}

export class WatchedStore<T> {
  readonly seen: T[] = [];
  readonly #store: Store<T>;
  #off: () => void = () => {};

  constructor(store: Store<T>) {
    this.#store = store;
    this.#look();
    this.mount();
  }

  get now(): T {
    return this.#store.get();
  }

  mount(): void {
    this.#off = this.#store.subscribe(() => this.#look());
    this.#look();
  }

  unmount(): void {
    this.#off();
  }

  #look(): void {
    const value = this.#store.get();
    if (this.seen.length === 0 || value !== this.seen.at(-1)) this.seen.push(value);
  }
}
