import type { EventMeta } from '@runnel/protocol';
import { useEffect } from 'react';
import type { AnyChannel } from './any-channel.ts';
import { useLatest } from './latest.ts';

/** Calls the handler of the last render with each event of that name, while the component is mounted. */
export function useEventHandler(
  channel: AnyChannel | null,
  event: string,
  handler: (data: unknown, meta: EventMeta) => void,
): void {
  const latest = useLatest(handler);
  useEffect(() => channel?.on(event, (data, meta) => latest.current(data, meta)), [channel, event, latest]);
}
