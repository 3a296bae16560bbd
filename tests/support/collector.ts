import { inspect } from 'node:util';
import { PATIENCE_MS } from './condition.ts';

interface Wait<T> {
  readonly holds: (items: readonly T[]) => boolean;
  readonly resolve: () => void;
}

/** What has happened, in order, and waits for more of it. */
export class Collector<T> {
  readonly items: T[] = [];
  readonly #waits = new Set<Wait<T>>();

  /** A property, so that it can be handed over as a handler. */
  readonly push = (item: T): void => {
    this.items.push(item);
    for (const wait of [...this.#waits]) if (wait.holds(this.items)) wait.resolve();
  };

  get last(): T | undefined {
    return this.items.at(-1);
  }

  /** Resolves with all items as soon as they are as they should be; rejects with those that are there if that takes too long. */
  until(holds: (items: readonly T[]) => boolean): Promise<readonly T[]> {
    if (holds(this.items)) return Promise.resolve(this.items);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waits.delete(wait);
        reject(new Error(`Not what was waited for: ${inspect(this.items.slice(-20), { depth: 4 })}`));
      }, PATIENCE_MS);
      const wait: Wait<T> = {
        holds,
        resolve: () => {
          clearTimeout(timer);
          this.#waits.delete(wait);
          resolve(this.items);
        },
      };
      this.#waits.add(wait);
    });
  }

  /** Resolves when there are at least `count`. */
  count(count: number): Promise<readonly T[]> {
    return this.until((items) => items.length >= count);
  }

  /** Resolves with the first item, here or to come, that is like this. */
  async find(like: (item: T) => boolean): Promise<T> {
    return (await this.until((items) => items.some(like))).find(like) as T;
  }
}

/** A promise and what settles it. */
export interface Gate<T = void> {
  readonly passed: Promise<T>;
  readonly open: (value: T) => void;
}

/** Something that a test lets happen when it wants to. */
export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => {};
  const passed = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}
