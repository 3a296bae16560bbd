import { useMemo, useSyncExternalStore } from 'react';
import { type Connection, ConnectionWatch, UNCONNECTED, type Watched } from './connection-watch.ts';

const unconnected = (): Connection => UNCONNECTED;

export function useWatch(client: Watched, { lostAfterMs = 2_000 }: { readonly lostAfterMs?: number } = {}): Connection {
  const watch = useMemo(() => new ConnectionWatch(client, lostAfterMs), [client, lostAfterMs]);
  return useSyncExternalStore(watch.subscribe, watch.get, unconnected);
}
