import { TimeWindow } from './time-window.ts';

/** Users looked at for what is too old, at each call. */
const SWEPT_PER_CALL = 2;

/** A time window for each user, so that nobody's keys push out another's. */
export class UserWindows<V> {
  readonly #options: { readonly spanMs: number; readonly sizeMax: number };
  readonly #windows = new Map<string, TimeWindow<V>>();
  /** Walks the users round and round, a little at each call. */
  #sweep: Iterator<[string, TimeWindow<V>]>;

  constructor(options: { readonly spanMs: number; readonly sizeMax: number }) {
    this.#options = options;
    this.#sweep = this.#windows.entries();
  }

  get userCount(): number {
    return this.#windows.size;
  }

  get(user: string, name: string, now: number): V | undefined {
    this.#sweepSome(now);
    return this.#windows.get(user)?.get(name, now);
  }

  set(user: string, { name, value }: { readonly name: string; readonly value: V }, now: number): void {
    const window = this.#windows.get(user) ?? new TimeWindow<V>(this.#options);
    this.#windows.set(user, window);
    window.set(name, value, now);
  }

  delete(user: string, name: string): void {
    this.#windows.get(user)?.delete(name);
  }

  #sweepSome(now: number): void {
    for (let i = 0; i < SWEPT_PER_CALL; i += 1) {
      const next = this.#sweep.next();
      if (next.done) {
        this.#sweep = this.#windows.entries();
        return;
      }
      const [user, window] = next.value;
      window.prune(now);
      if (window.size === 0) this.#windows.delete(user);
    }
  }
}
