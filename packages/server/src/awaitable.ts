/** What is there, or is still to come. What is there already need not wait for turns of the microtask queue: each costs about as much as a small handler. */
export type Awaitable<T> = T | PromiseLike<T>;

/** Whether it has to be awaited. */
export function isPending<T>(value: Awaitable<T>): value is PromiseLike<T> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function'
  );
}

/** `next` of what is there at once, or when it has come. */
export function chained<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return isPending(value) ? value.then(next) : next(value);
}
