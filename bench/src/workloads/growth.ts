/** How costs grow with connections, channels, and channels per session. All sizes of one sweep are up at once and take their windows in turn. */
import type { Competitor } from '../competitor.ts';
import type { Case, Plot, Round, Series, Target } from '../findings.ts';
import type { LayoutShape } from '../layout.ts';
import type { Stage } from '../stage.ts';
import { spreadOf } from '../statistics.ts';
import { runnel, ws } from './entrants.ts';
import { heapPerConnection } from './idle.ts';
import type { Workload } from './workload.ts';

const ROUNDS_MAX = 5;
const HOT_GROUPS = 10;
const GROWTH_MAX = 1.15;
const rooms = { role: 'rooms' } as const;

export const growth: Workload = {
  name: 'growth',
  title: 'Growth',
  about:
    'Factors between the smallest and the largest size of a sweep. Connections: all in one channel. Channels: messages go to ten channels of a hundred members, while all others have one ' +
    'member each. Channels per session: 1,000 connections in channels of ten, so each message is delivered ten times.',
  quick: false,
  async run(stage) {
    const cases: Case[] = [];
    const plots: Plot[] = [];
    for (const sweep of [connectionsSweep, channelsSweep, perSessionSweep]) {
      const curves = await sweep(stage);
      await stage.stop();
      for (const curve of curves) {
        cases.push(caseOf(curve));
        plots.push(plotOf(curve));
      }
    }
    return { cases, plots };
  },
};

/** Figures of each contender at each size, one per round. */
interface Curve {
  readonly title: string;
  readonly xLabel: string;
  readonly unit: string;
  /** Whether it may grow as the baseline grows, or not at all. */
  readonly against: 'ws' | 'itself';
  readonly figures: ReadonlyMap<string, ReadonlyMap<number, readonly number[]>>;
}

/** One of the servers of a sweep. */
interface Point {
  readonly label: string;
  readonly size: number;
  readonly competitor: Competitor;
}

async function connectionsSweep(stage: Stage): Promise<Curve[]> {
  const sizes = unique([1_000, 2_500, 10_000].map((size) => stage.size(size)));
  const points = await startPoints(stage, sizes, (size) => ({ connections: size, perSession: 1, groupSize: size }), 0);
  const memory = new Figures();
  for (const { label, size, competitor } of points) {
    const first = Math.ceil(size / 100);
    await competitor.connect(first);
    const heapBytes = await heapPerConnection(competitor, size - first, stage.pace.settleMs);
    memory.add(label, size, heapBytes / 1_024);
    stage.progress(`${competitor.label}: ${heapBytes.toFixed(0)} B of heap each`);
  }
  const delivery = await deliveries(stage, 'connections', points, 1);
  const subscribing = await subscribes(stage, points);
  const common = { xLabel: 'connections', against: 'ws' } as const;
  return [
    { ...common, title: 'A delivered message, by connections', unit: 'µs of server CPU', figures: delivery.all },
    { ...common, title: 'An idle connection, by connections', unit: 'KiB of heap', figures: memory.all },
    { ...common, title: 'A subscribe, by connections', unit: 'µs of server CPU', figures: subscribing.all },
  ];
}

async function channelsSweep(stage: Stage): Promise<Curve[]> {
  const connections = stage.size(1_000);
  const layout = { connections, perSession: 1, groupSize: connections / HOT_GROUPS };
  const extras = stage.pace.name === 'full' ? [0, 1, 10, 100] : [0, 1];
  const sizes = extras.map((extra) => HOT_GROUPS + extra * connections);
  const points = await startPoints(stage, sizes, () => layout);
  const subscribing = new Figures();
  const memory = new Figures();
  for (const { label, size, competitor } of points) {
    const extra = (size - HOT_GROUPS) / connections;
    if (extra === 0) continue;
    const before = await competitor.memory();
    subscribing.add(label, size, await subscribeCost(competitor, extra));
    const after = await competitor.memory();
    memory.add(label, size, (after.heapBytes - before.heapBytes) / 1_024 / (extra * connections));
    stage.progress(`${competitor.label}: subscribed`);
  }
  const delivery = await deliveries(stage, 'channels', points, 10);
  const common = { xLabel: 'channels', against: 'itself' } as const;
  return [
    { ...common, title: 'A delivered message, by channels', unit: 'µs of server CPU', figures: delivery.all },
    { ...common, title: 'A subscribe, by channels', unit: 'µs of server CPU', figures: subscribing.all },
    {
      ...common,
      title: 'A subscription to a channel of one’s own, by channels',
      unit: 'KiB of heap',
      figures: memory.all,
    },
  ];
}

async function perSessionSweep(stage: Stage): Promise<Curve[]> {
  const connections = stage.size(1_000);
  const sizes = stage.pace.name === 'full' ? [1, 10, 100] : [1, 10];
  const points = await startPoints(stage, sizes, (perSession) => ({ connections, perSession, groupSize: 10 }));
  const { all } = await deliveries(stage, 'channels per session', points, 100);
  return [
    {
      ...{ title: 'A delivered message, by channels per session', xLabel: 'channels per session' },
      ...{ unit: 'µs of server CPU', against: 'itself', figures: all },
    },
  ];
}

async function startPoints(
  stage: Stage,
  sizes: readonly number[],
  layoutOf: (size: number) => LayoutShape,
  connections?: number,
): Promise<Point[]> {
  const points: Point[] = [];
  for (const size of sizes) {
    const entrants = [runnel, ws].map((entrant) => ({
      ...entrant,
      label: `${entrant.label} at ${size}`,
      setup: rooms,
    }));
    const started = await stage.start(entrants, layoutOf(size), connections);
    for (const [i, { label }] of [runnel, ws].entries())
      points.push({ label, size, competitor: started[i] as Competitor });
  }
  return points;
}

async function deliveries(stage: Stage, name: string, points: readonly Point[], turns: number): Promise<Figures> {
  const competitors = points.map(({ competitor }) => competitor);
  const { rounds } = await stage.rounds(
    `growth with ${name}`,
    competitors,
    async (competitor, ms) => {
      const {
        cpuNs,
        deliveries: count,
        compared,
      } = await competitor.broadcast({ ms, payloadBytes: 64, perTurn: 1, turns });
      return { value: cpuNs / count / 1_000, compared };
    },
    Math.min(stage.pace.rounds, ROUNDS_MAX),
  );
  const figures = new Figures();
  for (const round of rounds)
    for (const { label, size, competitor } of points) figures.add(label, size, round.get(competitor.label) as number);
  return figures;
}

/** At each size as many in each round, one of each connection at a time: a thousand alone take no longer than a garbage collection. */
async function subscribes(stage: Stage, points: readonly Point[]): Promise<Figures> {
  const most = Math.max(...points.map(({ size }) => size));
  const figures = new Figures();
  // The first round is the warm-up.
  for (let round = 0; round <= Math.min(stage.pace.rounds, ROUNDS_MAX); round += 1)
    for (const { label, size, competitor } of points) {
      const costs: number[] = [];
      while (costs.length * size < most) costs.push(await subscribeCost(competitor, 1));
      if (round > 0) figures.add(label, size, costs.reduce((sum, cost) => sum + cost, 0) / costs.length);
    }
  return figures;
}

/** µs of server CPU per subscription. */
async function subscribeCost(competitor: Competitor, perConnection: number): Promise<number> {
  const before = competitor.cpuNs();
  await competitor.subscribe(perConnection);
  return (competitor.cpuNs() - before) / 1_000 / (perConnection * competitor.layout.shape.connections);
}

class Figures {
  readonly all = new Map<string, Map<number, number[]>>();

  add(label: string, size: number, value: number): void {
    const sizes = this.all.get(label) ?? new Map<number, number[]>();
    this.all.set(label, sizes.set(size, [...(sizes.get(size) ?? []), value]));
  }
}

/** From the smallest to the largest size, in each round. */
function caseOf({ title, against, figures }: Curve): Case {
  const factors = new Map(
    [...figures].map(([label, sizes]) => {
      const first = [...sizes.values()][0] ?? [];
      const last = [...sizes.values()].at(-1) ?? [];
      return [label, last.map((value, round) => value / (first[round] ?? Number.NaN))];
    }),
  );
  const rounds: Round[] = (factors.get(runnel.label) ?? []).map(
    (_, round) => new Map([...factors].map(([label, values]) => [label, values[round] ?? Number.NaN])),
  );
  const target: Target = { of: runnel.label, to: against === 'ws' ? ws.label : null, max: GROWTH_MAX };
  const sizes = [...(figures.get(runnel.label)?.keys() ?? [])].map((size) => size.toLocaleString('en'));
  const name = `${title} (${sizes.at(0)} → ${sizes.at(-1)})`;
  return {
    name,
    unit: 'growth factor',
    baseline: against === 'ws' ? ws.label : null,
    rounds,
    targets: [target],
    compared: 0,
  };
}

function plotOf({ title, xLabel, unit, figures }: Curve): Plot {
  const series: Series[] = [...figures].map(([label, sizes]) => ({
    label,
    points: [...sizes].map(([size, values]) => [size, spreadOf(values).median] as const),
  }));
  return { title, xLabel, yLabel: unit, series };
}

const unique = (sizes: readonly number[]): number[] => [...new Set(sizes)];
