import type { SubscriptionState } from '@runnel/protocol';
import { useCallback, useSyncExternalStore } from 'react';
import type { AnyChannel } from './any-channel.ts';

const IDLE: SubscriptionState = { status: 'idle' };
const idle = (): SubscriptionState => IDLE;

export function useSubscriptionOf(channel: AnyChannel | null): SubscriptionState {
  return useSyncExternalStore(
    useCallback((notify: () => void) => channel?.onState(notify) ?? (() => {}), [channel]),
    () => (channel === null || channel.state.status === 'idle' ? IDLE : channel.state),
    idle,
  );
}
