/** What has come and was not read yet: a bounded queue with an async iterator for its reader. */
import type { RunnelError } from '@runnel/protocol';

export interface InboxOptions {
  /** How much waits to be read at most. */
  readonly bound: number;
  /** There is more than that. The error ends the inbox; null: what waits longest is dropped. */
  readonly overflow: () => RunnelError | null;
  /** One was read. */
  readonly onRead?: () => void;
  /** Nothing is taken any more. Called once, whoever has ended it. */
  readonly onEnd: () => void;
}

interface Reader<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: IteratorResult<never, undefined> = { done: true, value: undefined };

export class Inbox<T> implements AsyncIterableIterator<T, undefined> {
  /** How many were dropped. */
  dropped = 0;
  readonly #options: InboxOptions;
  readonly #unread: T[] = [];
  /** Those who wait for more. While there are any, nothing is unread. */
  readonly #readers: Reader<T>[] = [];
  #ended = false;
  /** What the first read after the end rejects with; null: nothing, or it has. */
  #error: unknown = null;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  push(value: T): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value });
      this.#options.onRead?.();
      return;
    }
    if (this.#unread.length >= this.#options.bound) {
      const error = this.#options.overflow();
      if (error !== null) return this.end(error);
      this.#unread.shift();
      this.dropped += 1;
    }
    this.#unread.push(value);
  }

  /** No more will come. What has come can still be read; the error, if there is one, follows it. */
  end(error: unknown = null): void {
    if (this.#ended) return;
    this.#ended = true;
    const [first, ...others] = this.#readers.splice(0);
    if (error === null) first?.resolve(DONE);
    else if (first === undefined) this.#error = error;
    else first.reject(error);
    for (const { resolve } of others) resolve(DONE);
    this.#options.onEnd();
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#unread.length > 0) {
      const value = this.#unread.shift() as T;
      this.#options.onRead?.();
      return Promise.resolve({ done: false, value });
    }
    if (!this.#ended) return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
    const error = this.#error;
    this.#error = null;
    return error === null ? Promise.resolve(DONE) : Promise.reject(error);
  }

  /** Nobody wants to read what has come. */
  clear(): void {
    this.#unread.length = 0;
    this.#error = null;
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.end();
    this.clear();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
