/** What is used of the Web Locks API: a lock tells that somebody lives, and the browser lets it go when they do not. */

/** The part of `navigator.locks` that is used. */
export interface Locks {
  request(
    name: string,
    options: { readonly mode?: 'exclusive' | 'shared'; readonly steal?: boolean; readonly signal?: AbortSignal },
    run: () => Promise<void>,
  ): Promise<unknown>;
}

export interface Hold {
  /** The lock is had. */
  readonly granted: () => void;
  /** Somebody has stolen it. */
  readonly stolen?: () => void;
  /** Takes it from whoever has it. */
  readonly steal?: boolean;
  readonly mode?: 'exclusive' | 'shared';
}

/** Waits for a lock, and holds it until what this returns is called. */
export function hold(
  locks: Locks,
  name: string,
  { granted, stolen, steal = false, mode = 'exclusive' }: Hold,
): () => void {
  const waiting = new AbortController();
  let over = false;
  let had = false;
  let release = (): void => waiting.abort();
  const run = (): Promise<void> =>
    new Promise((resolve) => {
      if (over) return resolve();
      had = true;
      release = resolve;
      granted();
    });
  // A lock that is stolen cannot be waited for.
  const options = steal ? { steal, mode } : { mode, signal: waiting.signal };
  locks.request(name, options, run).catch(() => {
    if (had && !over) stolen?.();
  });
  return () => {
    over = true;
    release();
  };
}
