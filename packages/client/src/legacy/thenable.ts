/** A promise for pages that have none (Promises/A+, with the rest of ECMAScript's that the client uses). Nothing is put on the page's globals. */
import { queueMicrotask } from './microtasks.ts';

/** What is done when it is settled, with what it was settled with. */
type Reaction = (settled: Settled) => void;

type Settled = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly value: unknown };

type Settle = (value?: unknown) => void;

/** What is called with a value or an error. Anything but a function is ignored. */
type Handler = ((settled: never) => unknown) | null | undefined;

export class Thenable {
  /** Null while it is pending. */
  #settled: Settled | null = null;
  /** Emptied when it is settled. */
  #reactions: Reaction[] = [];

  constructor(executor: (resolve: Settle, reject: Settle) => void) {
    const { resolve, reject } = this.#settlers();
    try {
      executor(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  // biome-ignore lint/suspicious/noThenProperty: this is what makes it one.
  then(onFulfilled?: Handler, onRejected?: Handler): Thenable {
    return new Thenable((resolve, reject) => {
      this.#react(({ ok, value }) => {
        const handler = ok ? onFulfilled : onRejected;
        if (typeof handler !== 'function') return (ok ? resolve : reject)(value);
        try {
          resolve(handler(value as never));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  catch(onRejected: Handler): Thenable {
    return this.then(undefined, onRejected);
  }

  finally(run: () => unknown): Thenable {
    return this.then(
      (value: unknown) => Thenable.resolve(run()).then(() => value),
      (error: unknown) =>
        Thenable.resolve(run()).then(() => {
          throw error;
        }),
    );
  }

  static resolve(value?: unknown): Thenable {
    return value instanceof Thenable ? value : new Thenable((resolve) => resolve(value));
  }

  static reject(error: unknown): Thenable {
    return new Thenable((_, reject) => reject(error));
  }

  static race(values: readonly unknown[]): Thenable {
    return new Thenable((resolve, reject) => {
      for (const value of values) Thenable.resolve(value).then(resolve, reject);
    });
  }

  #react(reaction: Reaction): void {
    const settled = this.#settled;
    if (settled === null) this.#reactions.push(reaction);
    else queueMicrotask(() => reaction(settled));
  }

  #settle(settled: Settled): void {
    this.#settled = settled;
    for (const reaction of this.#reactions.splice(0)) this.#react(reaction);
  }

  /** A pair of which the first call counts. */
  #settlers(): { resolve: Settle; reject: Settle } {
    let called = false;
    const once = (settle: Settle): Settle => {
      return (value) => {
        if (called) return;
        called = true;
        settle(value);
      };
    };
    return {
      resolve: once((value) => this.#resolve(value)),
      reject: once((value) => this.#settle({ ok: false, value })),
    };
  }

  /** Promises/A+ §2.3. */
  #resolve(value: unknown): void {
    if (value instanceof Thenable && value !== this) return value.#react((settled) => this.#settle(settled));
    const { resolve, reject } = this.#settlers();
    try {
      if (value === this) throw new TypeError('A promise cannot be resolved with itself.');
      const then: unknown = isObject(value) ? (value as { then?: unknown }).then : null;
      if (typeof then === 'function') then.call(value, resolve, reject);
      else this.#settle({ ok: true, value });
    } catch (error) {
      reject(error);
    }
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}
