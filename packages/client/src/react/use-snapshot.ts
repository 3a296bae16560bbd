import { useMemo, useSyncExternalStore } from 'react';
import type { AnyChannel } from './any-channel.ts';
import { useLatest } from './latest.ts';
import { type AnyReducers, SnapshotFold } from './snapshot-fold.ts';
import { valueKey } from './value-key.ts';

const NONE: AnyReducers = {};
const nothing = (): unknown => undefined;

export function useFold(channel: AnyChannel | null, reducers: AnyReducers = NONE): unknown {
  const latest = useLatest(reducers);
  const key = valueKey(Object.keys(reducers).sort());
  const fold = useMemo(() => new SnapshotFold(channel, JSON.parse(key), latest), [channel, key, latest]);
  return useSyncExternalStore(fold.subscribe, fold.get, nothing);
}
