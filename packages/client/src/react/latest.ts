import { useInsertionEffect, useRef } from 'react';

/** What the last render that was shown has given. To be read in effects and handlers, where it never asks for another subscription. */
export interface Latest<T> {
  readonly current: T;
}

export function useLatest<T>(value: T): Latest<T> {
  const latest = useRef(value);
  // The first of a commit's effects, and the only kind that React 18 leaves out on a server without a warning.
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
