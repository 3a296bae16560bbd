/** Remembers values by key for a span of time, and at most so many: beyond that the oldest are forgotten early. */
export class TimeWindow<V> {
  readonly #spanMs: number;
  readonly #sizeMax: number;
  /** In the order of `at`, because a key is never set twice while it is known. */
  readonly #entries = new Map<string, { readonly value: V; readonly at: number }>();

  constructor(options: { readonly spanMs: number; readonly sizeMax: number }) {
    this.#spanMs = options.spanMs;
    this.#sizeMax = options.sizeMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, now: number): V | undefined {
    this.prune(now);
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: V, now: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, at: now });
    this.prune(now);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /** Forgets what is too old or too many. */
  prune(now: number): void {
    for (const [key, { at }] of this.#entries) {
      if (at + this.#spanMs > now && this.#entries.size <= this.#sizeMax) return;
      this.#entries.delete(key);
    }
  }
}
