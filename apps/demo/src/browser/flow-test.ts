import type { FlowState, Tally } from '../contract.ts';
import { Pace } from '../pace.ts';
import { Sequence } from '../sequence.ts';
import type { AppClient } from './app-client.ts';

export interface FlowProgress {
  readonly count: number;
  readonly sentUp: number;
  readonly sentDown: number;
  /** What the server has of the numbers that went up. */
  readonly up: Tally;
  /** What this page has of the numbers that came down. */
  readonly down: Tally;
}

interface FlowOptions {
  readonly client: AppClient;
  readonly flowId: string;
  readonly count: number;
  readonly perSecond: number;
  readonly onProgress: (progress: FlowProgress) => void;
  readonly signal: AbortSignal;
}

const turnMs = 20;
/** How long the last numbers may take once all have been sent. */
const patienceMs = 60_000;
/** Publishes without an answer; the rest waits here, where it costs nothing. */
const unansweredMax = 400;

/** Sends the numbers 0 … count−1 up, has the server send them down, and counts what becomes of them. */
export async function runFlow(options: FlowOptions): Promise<FlowProgress> {
  const { client, flowId, count, perSecond, onProgress, signal } = options;
  const channel = client.channel('flow/:flowId', { flowId });
  const received = new Sequence();
  const progress = { count, sentUp: 0, sentDown: 0, up: new Sequence().tally(), down: received.tally() };
  const takeState = (state: FlowState) => {
    progress.sentDown = state.sent;
    progress.up = state.received;
  };
  channel.on('number', ({ n }) => received.take(n));
  channel.on('state', takeState);
  let unanswered = 0;
  let refused: unknown = null;
  const sendOne = () => {
    unanswered++;
    channel
      .publish('number', { n: progress.sentUp++ })
      .catch((error: unknown) => {
        refused ??= error;
      })
      .finally(() => {
        unanswered--;
      });
  };

  try {
    await channel.request('start', { count, perSecond });
    const pace = new Pace({ perSecond, burstMax: 200, now: performance.now() });
    let quietAt = performance.now();
    let seen = -1;
    while (refused === null && !signal.aborted) {
      const due = Math.min(pace.due(performance.now()), count - progress.sentUp, unansweredMax - unanswered);
      for (let sent = 0; sent < due; sent++) sendOne();
      progress.down = received.tally();
      onProgress({ ...progress });
      if (progress.sentUp === count && unanswered === 0 && progress.down.received >= count) break;
      // Progress of any kind is a reason to wait on.
      const moved = progress.sentUp + progress.down.received - unanswered;
      if (moved !== seen) quietAt = performance.now();
      seen = moved;
      if (performance.now() - quietAt > patienceMs) break;
      await new Promise((resolve) => setTimeout(resolve, turnMs));
    }
    if (refused !== null) throw refused;
    if (signal.aborted) throw new Error('it was stopped');
    takeState(await channel.request('state'));
    progress.down = received.tally(count);
    return { ...progress };
  } finally {
    // The server stops by itself too, later.
    channel
      .request('stop')
      .catch(() => {})
      .finally(() => channel.close());
  }
}
