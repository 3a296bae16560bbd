import type { RunnelError } from '@runnel/protocol';
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Member } from '../presence.ts';
import type { AnyChannel } from './any-channel.ts';
import { useLatest } from './latest.ts';
import { valueKey } from './value-key.ts';

/** Who is present, and what makes us so. */
export interface AnyPresence {
  readonly members: readonly Member<unknown>[];
  readonly error: RunnelError | null;
  readonly enter: (data: unknown) => Promise<void>;
  readonly update: (data: unknown) => Promise<void>;
  readonly leave: () => Promise<void>;
}

const NOBODY: readonly never[] = [];
const nobody = (): readonly never[] => NOBODY;

export function usePresenceOf(channel: AnyChannel | null, { enter }: { readonly enter?: unknown } = {}): AnyPresence {
  const presence = channel?.presence ?? null;
  const members = useSyncExternalStore(
    useCallback((notify: () => void) => presence?.onChange(() => notify()) ?? (() => {}), [presence]),
    () => presence?.members() ?? NOBODY,
    nobody,
  );
  const error = useEntered(presence, enter);
  const calls = useMemo(() => callsOf(presence), [presence]);
  return useMemo(() => ({ members, error, ...calls }), [members, error, calls]);
}

/** Is present with `data` while mounted, unless that is null or undefined. Returns why that failed. */
function useEntered(presence: AnyChannel['presence'] | null, data: unknown): RunnelError | null {
  const [error, setError] = useState<RunnelError | null>(null);
  const latest = useLatest(data);
  const key = data == null ? null : valueKey(data);
  useEffect(() => {
    if (presence === null || key === null) return;
    let isWanted = true;
    const settle = (reason: RunnelError | null): void => {
      if (isWanted) setError(reason);
    };
    presence.enter(latest.current).then(
      () => settle(null),
      (reason) => settle(reason),
    );
    return () => {
      isWanted = false;
      // Other data follow at once, or none do: what was replaced by the end of the turn is not told to the server.
      presence.leave().catch(() => {});
    };
  }, [presence, key, latest]);
  return error;
}

function callsOf(presence: AnyChannel['presence'] | null): Pick<AnyPresence, 'enter' | 'update' | 'leave'> {
  const refuse = (): Promise<void> => Promise.reject(new TypeError('There is no channel yet to be present in.'));
  if (presence === null) return { enter: refuse, update: refuse, leave: () => Promise.resolve() };
  return {
    enter: (data) => presence.enter(data),
    update: (data) => presence.update(data),
    leave: () => presence.leave(),
  };
}
