/** What a connection costs that does nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Competitor, Entrant, Memory } from '../competitor.ts';
import type { Case, Round, Target } from '../findings.ts';
import type { Stage } from '../stage.ts';
import { longPoll, runnel, runnelPoll, runnelStream, socketIo, sse, ws } from './entrants.ts';
import type { Workload } from './workload.ts';

/** After so long without a request node's servers end a connection; only then is a stream alone whose client has acknowledged by POST. */
const KEEP_ALIVE_MS = 6_000;
/** Between two heartbeats: the answer to one is a POST, and its connection. */
const quietStream = { ...runnelStream, setup: { heartbeats: 'off' } } as const satisfies Entrant;

export const idle: Workload = {
  name: 'idle',
  title: 'Idle connections, one channel each',
  about:
    'All in the same channel. The difference in memory between none and all of them; heap is what is used after two garbage collections, and RSS what is resident when little has happened for five seconds.',
  quick: true,
  async run(stage) {
    const websockets = stage.size(10_000);
    const others = stage.size(2_000);
    return {
      cases: [
        ...(await memoryCases({
          ...{ stage, entrants: [runnel, ws, socketIo], connections: websockets, baseline: ws.label },
          name: `${websockets.toLocaleString('en')} over WebSocket`,
          heap: [
            { of: runnel.label, to: ws.label, max: 1.3 },
            { of: runnel.label, to: socketIo.label, max: 0.4 },
          ],
          rss: [
            { of: runnel.label, to: ws.label, max: 1.15 },
            { of: runnel.label, to: socketIo.label, max: 0.55 },
          ],
        })),
        ...(await memoryCases({
          ...{
            stage,
            entrants: [quietStream, sse],
            connections: others,
            baseline: sse.label,
            // A run that is to be quick has no time for that.
            settleMs: stage.pace.quietMs > 0 ? KEEP_ALIVE_MS : stage.pace.settleMs,
          },
          name: `${others.toLocaleString('en')} streams`,
          ...both({ of: runnelStream.label, to: sse.label, max: 1 }),
        })),
        ...(await memoryCases({
          ...{ stage, entrants: [runnelPoll, longPoll], connections: others, baseline: longPoll.label },
          name: `${others.toLocaleString('en')} held polls`,
          ...both({ of: runnelPoll.label, to: longPoll.label, max: 1 }),
        })),
      ],
    };
  },
};

const both = (target: Target): { heap: Target[]; rss: Target[] } => ({ heap: [target], rss: [target] });

interface MemoryOptions {
  readonly stage: Stage;
  readonly entrants: readonly Entrant[];
  readonly connections: number;
  readonly name: string;
  readonly baseline: string;
  readonly heap: readonly Target[];
  readonly rss: readonly Target[];
  /** How long connections are left alone before memory is looked at. Default: as always. */
  readonly settleMs?: number;
}

async function memoryCases({
  stage,
  entrants,
  connections,
  name,
  baseline,
  heap,
  rss,
  settleMs = stage.pace.settleMs,
}: MemoryOptions): Promise<Case[]> {
  const layout = { connections, perSession: 1, groupSize: connections };
  const competitors = await stage.start(entrants, layout, 0);
  // A few come first: code and buffers that the first connection brings are none of a connection's.
  const first = Math.ceil(connections / 100);
  for (const competitor of competitors) await competitor.connect(first);
  const before = await atRest(stage, competitors, settleMs);
  const heapRound = new Map<string, number>();
  const rssRound = new Map<string, number>();
  for (const competitor of competitors) {
    await competitor.connect(connections - first);
    const after = await atRest(stage, [competitor], settleMs);
    const each = (what: keyof Memory): number =>
      ((after.get(competitor)?.[what] ?? Number.NaN) - (before.get(competitor)?.[what] ?? Number.NaN)) /
      (connections - first);
    const [heapBytes, rssBytes] = [each('heapBytes'), each('rssBytes')];
    heapRound.set(competitor.label, heapBytes / 1_024);
    rssRound.set(competitor.label, rssBytes / 1_024);
    stage.progress(
      `${name}: ${competitor.label} ${heapBytes.toFixed(0)} B of heap, ${rssBytes.toFixed(0)} B resident, each`,
    );
    await stage.snapshot(competitor);
  }
  await stage.stop();
  const caseOf = (what: string, round: Round, targets: readonly Target[]): Case => ({
    ...{ name: `${name}, ${what}`, unit: 'KiB per connection', baseline, rounds: [round], targets, compared: 0 },
  });
  return [caseOf('heap', heapRound, heap), caseOf('RSS', rssRound, rss)];
}

/**
 * V8 lets the young generation grow with whatever comes, to 2 × 16 MiB at most, and gives it back at a collection before which little was allocated for five
 * seconds. Divided by a few thousand connections it would be most of what they seem to hold, or nothing, as chance has it: so there are two, that far apart.
 */
async function atRest(
  { pace }: Stage,
  competitors: readonly Competitor[],
  settleMs: number,
): Promise<ReadonlyMap<Competitor, Memory>> {
  // For what begins after a connection: the first acknowledgement, the next poll.
  await sleep(settleMs);
  for (const competitor of competitors) await competitor.memory();
  await sleep(pace.quietMs);
  const memories = new Map<Competitor, Memory>();
  for (const competitor of competitors) memories.set(competitor, await competitor.memory());
  return memories;
}

export async function heapPerConnection(
  competitor: Competitor,
  connections: number,
  settleMs: number,
): Promise<number> {
  await sleep(settleMs);
  const before = await competitor.memory();
  await competitor.connect(connections);
  await sleep(settleMs);
  const after = await competitor.memory();
  return (after.heapBytes - before.heapBytes) / connections;
}
