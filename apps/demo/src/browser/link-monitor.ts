import type { Attempt, Transport } from '@runnel/client';
import type { AppClient } from './app-client.ts';

type LinkState = 'connecting' | 'open' | 'reconnecting' | 'closed';

/** The connection at one moment, as the page shows it. */
export interface LinkSample {
  readonly at: number;
  readonly state: LinkState;
  /** What is being waited for or went wrong; empty while all is well. */
  readonly reason: string;
  readonly transport: Transport | null;
  readonly tripMs: number | null;
  readonly resumes: number;
  readonly framesUp: number;
  readonly framesDown: number;
  /** Null while there is no session. */
  readonly sessionSince: number | null;
  /** Since when this transport has carried the session; null while none does. */
  readonly transportSince: number | null;
  readonly attempts: readonly Attempt[];
}

interface LinkListener {
  readonly onSample: (sample: LinkSample) => void;
  /** There is a session, and it is not the one of before. */
  readonly onSession: () => void;
}

const everyMs = 500;

/** Looks at the connection at every change of its state, and twice a second for what changes in between. */
export function monitorLink(client: AppClient, { onSample, onSession }: LinkListener): void {
  // Our public name, which is another one in another session, and since when we have it.
  let session: { readonly name: string; readonly since: number } | null = null;
  const look = () => {
    const at = Date.now();
    const { state, roundTripMs, client: name, counts, attempts } = client.diagnose();
    if (name === null) session = null;
    else if (session?.name !== name) {
      session = { name, since: at };
      onSession();
    }
    onSample({
      at,
      state: state.status === 'idle' ? 'connecting' : state.status,
      reason: 'reason' in state ? state.reason : '',
      transport: state.status === 'open' ? state.transport : null,
      tripMs: roundTripMs,
      ...counts,
      sessionSince: session?.since ?? null,
      transportSince: state.status === 'open' ? state.since : null,
      attempts,
    });
  };
  client.onState(look);
  setInterval(look, everyMs);
  look();
}
