/** A publisher that waits for nobody. */
import type { Competitor } from '../competitor.ts';
import type { Case, Round } from '../findings.ts';
import { quantileOf } from '../statistics.ts';
import { nchan, runnel, socketIo, ws } from './entrants.ts';
import type { Workload } from './workload.ts';

const IDLE_EVERY_MS = 10;

export const flood: Workload = {
  name: 'flood',
  title: 'A publisher at full rate, open loop',
  about:
    'Each publish is a turn of its own and comes as fast as the server takes it, to 100 subscribers. Nchan is published to over HTTP. Latency is from before the ' +
    'broadcast to the reading of one subscriber, with one message every 10 ms (idle) and at full rate (saturated), where it is mostly the length of the queue.',
  quick: true,
  async run(stage) {
    const connections = stage.size(100);
    const layout = { connections, perSession: 1, groupSize: connections };
    const competitors = await stage.start([runnel, ws, socketIo, ...nchan], layout);
    const saturated: Map<string, number>[] = [];
    const rates: Map<string, number>[] = [];
    const cost = await stage.rounds('full rate', competitors, async (competitor, ms) => {
      const { cpuNs, deliveries, compared, latenciesUs, sent } = await competitor.flood({ ms, payloadBytes: 64 });
      saturated.push(new Map([[competitor.label, quantileOf(latenciesUs, 0.99) / 1_000]]));
      rates.push(new Map([[competitor.label, (sent / ms) * 1_000]]));
      return { value: cpuNs / deliveries / 1_000, compared };
    });
    const common = { baseline: ws.label, compared: 0 };
    const cases: Case[] = [
      {
        ...common,
        name: 'full rate, 64 B',
        unit: 'µs of server CPU per delivered message',
        ...cost,
        targets: [{ of: runnel.label, to: ws.label, max: 0.25 }],
      },
      {
        ...common,
        name: 'p99 latency, saturated',
        unit: 'ms',
        baseline: null,
        rounds: merged(saturated, competitors, cost.rounds.length),
        targets: [],
      },
      {
        ...common,
        name: 'rate of publishing',
        unit: 'per second',
        baseline: null,
        rounds: merged(rates, competitors, cost.rounds.length),
        targets: [],
      },
    ];
    const idle: Round[] = [];
    for (let round = 0; round < stage.pace.rounds; round += 1)
      idle.push(await idleLatency(competitors, stage.pace.windowMs));
    cases.push({
      ...common,
      name: 'p99 latency, idle, added to that of ws',
      unit: 'ms',
      baseline: null,
      rounds: idle,
      targets: [{ of: runnel.label, to: null, max: 2 }],
    });
    return { cases };
  },
};

/** One map per round: of each contender the last figures, those before were warm-up. */
function merged(
  figures: readonly ReadonlyMap<string, number>[],
  competitors: readonly Competitor[],
  count: number,
): Round[] {
  const byLabel = competitors.map(({ label }) => figures.flatMap((figure) => figure.get(label) ?? []).slice(-count));
  return Array.from({ length: count }, (_, round) => {
    return new Map(competitors.map(({ label }, i) => [label, byLabel[i]?.[round] ?? Number.NaN]));
  });
}

async function idleLatency(competitors: readonly Competitor[], ms: number): Promise<Round> {
  const p99 = new Map<string, number>();
  for (const competitor of competitors) {
    const { latenciesUs } = await competitor.flood({ ms, payloadBytes: 64, everyMs: IDLE_EVERY_MS });
    p99.set(competitor.label, quantileOf(latenciesUs, 0.99) / 1_000);
  }
  const floor = p99.get(ws.label) ?? 0;
  return new Map([...p99].map(([label, value]) => [label, value - floor]));
}
