/** Throws what no caller is there to catch, so that it reaches the page's handler of uncaught errors. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
