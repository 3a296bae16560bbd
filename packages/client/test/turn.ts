const { setImmediate } = globalThis as unknown as { setImmediate(run: () => void): void };

/** Lets promises that are due settle, streams included. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
