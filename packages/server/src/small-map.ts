/**
 * A map of what there mostly is none or one of, such as the calls under way of one session. The only entry needs no table, and an emptied table is not kept:
 * a `Map` that was used once holds some 180 bytes for good.
 */
export class SmallMap<K, V extends object> {
  /** The only entry; null while there is none, or several. */
  #key: K | null = null;
  #value: V | null = null;
  /** All entries, while there are several, and until there is none. */
  #all: Map<K, V> | null = null;

  get size(): number {
    return this.#all?.size ?? (this.#value === null ? 0 : 1);
  }

  get(key: K): V | undefined {
    if (this.#all !== null) return this.#all.get(key);
    return this.#value !== null && this.#key === key ? this.#value : undefined;
  }

  set(key: K, value: V): void {
    if (this.#all !== null) this.#all.set(key, value);
    else if (this.#value === null || this.#key === key) this.#hold(key, value);
    else {
      this.#all = new Map([
        [this.#key as K, this.#value],
        [key, value],
      ]);
      this.#hold(null, null);
    }
  }

  delete(key: K): void {
    if (this.#all === null) {
      if (this.#key === key) this.#hold(null, null);
    } else if (this.#all.delete(key) && this.#all.size === 0) this.#all = null;
  }

  keys(): K[] {
    if (this.#all !== null) return [...this.#all.keys()];
    return this.#value === null ? [] : [this.#key as K];
  }

  values(): V[] {
    if (this.#all !== null) return [...this.#all.values()];
    return this.#value === null ? [] : [this.#value];
  }

  #hold(key: K | null, value: V | null): void {
    this.#key = key;
    this.#value = value;
  }
}
