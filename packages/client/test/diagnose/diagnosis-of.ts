/** Diagnoses as a client gives them, made by hand: each attempt in one line. */
import type { Attempt, ConnectionState, Transport } from '@runnel/protocol';
import type { Diagnosis } from '../../src/index.ts';

/** 14:00:00 UTC. */
export const T0: number = Date.UTC(2_026, 0, 5, 14);

/** `seconds` after T0; `reason` where it failed. */
export function attempt(
  seconds: number,
  transport: Transport,
  step: Attempt['step'],
  tookMs: number,
  reason = '',
): Attempt {
  return { at: T0 + seconds * 1_000, transport, step, outcome: reason === '' ? 'ok' : 'failed', tookMs, reason };
}

export const open = (transport: Transport, seconds = 0): ConnectionState => ({
  status: 'open',
  transport,
  since: T0 + seconds * 1_000,
  resumed: false,
});

export function diagnosisOf(
  state: ConnectionState,
  attempts: readonly Attempt[] = [],
  more: Partial<Diagnosis> = {},
): Diagnosis {
  const last = attempts.at(-1);
  return {
    at: (last?.at ?? T0) + (last?.tookMs ?? 0),
    state,
    transport: state.status === 'open' ? state.transport : null,
    choice: 'auto',
    transports: ['websocket', 'stream', 'poll'],
    roundTripMs: 12,
    client: 'c1',
    sharing: null,
    counts: { framesUp: 3, framesDown: 4, resumes: 0, attaches: 1 },
    attempts,
    ...more,
  };
}
