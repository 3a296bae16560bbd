/**
 * Map and Set for engines that have none. As there, what is walked over may change meanwhile: what is added is met, and what is taken out is not.
 *
 * Entries are linked in the order in which they were added. An entry that was taken out keeps its place in the order, so that a walk that stands there finds
 * the way on. Keys that are objects are searched for; others are found by an index.
 */

interface Entry<K, V> {
  readonly key: K;
  value: V;
  before: Entry<K, V> | null;
  after: Entry<K, V> | null;
  out: boolean;
}

/** What the walks of the compiled code need of an iterator. */
export interface Walk<T> {
  next(): { readonly done: boolean; readonly value: T };
}

class Collection<K, V> {
  /** Stands before the first. */
  readonly #head: Entry<K, V> = { key: null as K, value: null as V, before: null, after: null, out: false };
  #last: Entry<K, V> = this.#head;
  #index: Record<string, Entry<K, V>> = {};
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(key: K): boolean {
    return this.entry(key) !== null;
  }

  delete(key: K): boolean {
    const entry = this.entry(key);
    if (entry === null) return false;
    const { before, after } = entry;
    entry.out = true;
    delete this.#index[indexOf(key)];
    (before as Entry<K, V>).after = after;
    if (after === null) this.#last = before as Entry<K, V>;
    else after.before = before;
    this.#size -= 1;
    return true;
  }

  clear(): void {
    for (let entry = this.#head.after; entry !== null; entry = entry.after) {
      entry.out = true;
      entry.before = this.#head;
    }
    this.#head.after = null;
    this.#last = this.#head;
    this.#index = {};
    this.#size = 0;
  }

  protected put(key: K, value: V): void {
    const known = this.entry(key);
    if (known !== null) known.value = value;
    else {
      const entry = { key, value, before: this.#last, after: null, out: false };
      this.#last.after = entry;
      this.#last = entry;
      if (isIndexed(key)) this.#index[indexOf(key)] = entry;
      this.#size += 1;
    }
  }

  protected entry(key: K): Entry<K, V> | null {
    if (isIndexed(key)) return this.#index[indexOf(key)] ?? null;
    let entry = this.#head.after;
    while (entry !== null && entry.key !== key) entry = entry.after;
    return entry;
  }

  protected walk<T>(pick: (entry: Entry<K, V>) => T): Walk<T> {
    let at: Entry<K, V> | null = this.#head;
    return {
      next: () => {
        // What was taken out leads back to what stood before it then, and from there on to what follows now.
        while (at?.out) at = at.before;
        at = at === null ? null : at.after;
        return at === null ? { done: true, value: undefined as T } : { done: false, value: pick(at) };
      },
    };
  }
}

export class LegacyMap<K, V> extends Collection<K, V> {
  constructor(entries: readonly (readonly [K, V])[] = []) {
    super();
    for (const [key, value] of entries) this.put(key, value);
  }

  get(key: K): V | undefined {
    return this.entry(key)?.value;
  }

  set(key: K, value: V): this {
    this.put(key, value);
    return this;
  }

  keys(): Walk<K> {
    return this.walk(({ key }) => key);
  }

  values(): Walk<V> {
    return this.walk(({ value }) => value);
  }

  entries(): Walk<[K, V]> {
    return this.walk(({ key, value }) => [key, value]);
  }
}

export class LegacySet<T> extends Collection<T, true> {
  constructor(items: readonly T[] = []) {
    super();
    for (const item of items) this.put(item, true);
  }

  add(item: T): this {
    this.put(item, true);
    return this;
  }

  entries(): Walk<T> {
    return this.walk(({ key }) => key);
  }
}

function isIndexed(key: unknown): boolean {
  return typeof key !== 'function' && (typeof key !== 'object' || key === null);
}

function indexOf(key: unknown): string {
  return typeof key + key;
}
