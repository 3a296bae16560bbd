import type { Contract, PatternOf } from '@runnel/protocol';
import { useEffect, useMemo } from 'react';
import type { Client } from '../client.ts';
import { type AnyChannel, anyChannel } from './any-channel.ts';
import { HandleLease } from './handle-lease.ts';
import { valueKey } from './value-key.ts';

/** The handle of a channel, the same one while what it is made of is equal by value; null where the pattern or the parameters are. */
export function useHandle<C extends Contract<C>>(
  client: Client<C>,
  pattern: string | null | undefined,
  args: readonly unknown[],
): AnyChannel | null {
  const isIdle = pattern == null || (pattern.includes(':') && args[0] == null);
  const key = isIdle ? null : valueKey([pattern, ...args]);
  const lease = useMemo(() => {
    if (key === null) return null;
    const [name, ...rest] = JSON.parse(key) as [PatternOf<C>, ...unknown[]];
    return new HandleLease(anyChannel(client.channel(name, ...(rest as never))));
  }, [client, key]);
  useEffect(() => lease?.take(), [lease]);
  return lease?.channel ?? null;
}
