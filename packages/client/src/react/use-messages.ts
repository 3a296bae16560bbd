import { useMemo, useSyncExternalStore } from 'react';
import type { AnyChannel, AnyMessage } from './any-channel.ts';
import { MessageList } from './message-list.ts';
import { valueKey } from './value-key.ts';

export interface AnyMessagesOptions {
  readonly events?: readonly string[];
  readonly limit?: number;
  readonly history?: number;
  readonly initial?: readonly AnyMessage[];
}

const NONE: readonly never[] = [];

export function useMessageList(
  channel: AnyChannel | null,
  { events, limit = 100, history = 0, initial = NONE }: AnyMessagesOptions = {},
): readonly AnyMessage[] {
  const key = valueKey(events ?? null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a list begins with what is initial when it begins
  const list = useMemo(
    () => new MessageList(channel, { events: JSON.parse(key), limit, history, initial }),
    [channel, key, limit, history],
  );
  return useSyncExternalStore(list.subscribe, list.get, list.get);
}
