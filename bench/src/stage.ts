/**
 * Where a workload runs. Its contenders are up at once and take short windows in turn, A B C, C B A, …, so that whatever else the machine does
 * strikes all of them alike, and what is compared was measured side by side.
 */
import { join } from 'node:path';
import { Competitor, type Entrant } from './competitor.ts';
import type { Round } from './findings.ts';
import type { LayoutShape } from './layout.ts';
import type { Pace } from './pace.ts';

const ROUNDS_MIN = 2;
const WARM_UPS_MAX = 8;

export interface StageOptions {
  readonly workload: string;
  readonly pace: Pace;
  readonly progress: (text: string) => void;
  /** Where CPU profiles and heap snapshots go; null: nowhere. */
  readonly profileFolder: string | null;
}

/** One window of one contender: the figure, and how many messages were compared. */
export interface Figure {
  readonly value: number;
  readonly compared?: number;
}

export interface Measured {
  readonly rounds: readonly Round[];
  readonly compared: number;
}

export class Stage {
  readonly pace: Pace;
  readonly progress: (text: string) => void;
  /** Versions of whoever took part, by contender's label. */
  readonly versions = new Map<string, string>();
  readonly #options: StageOptions;
  readonly #competitors: Competitor[] = [];

  constructor(options: StageOptions) {
    this.#options = options;
    this.pace = options.pace;
    this.progress = options.progress;
  }

  /** So many connections, or as many as this run allows. */
  size(connections: number): number {
    return Math.min(connections, this.pace.connectionsMax);
  }

  /** Starts all at once, and connects everybody of the layout unless told otherwise. */
  async start(
    entrants: readonly Entrant[],
    layout: LayoutShape,
    connections = layout.connections,
  ): Promise<Competitor[]> {
    this.progress(`${entrants.map(({ label }) => label).join(', ')}: ${connections} connections each`);
    const competitors = entrants.map((entrant) => new Competitor(entrant, layout));
    this.#competitors.push(...competitors);
    await Promise.all(competitors.map((competitor) => competitor.start()));
    for (const competitor of competitors) {
      this.versions.set(competitor.label, competitor.version);
      if (connections > 0) await competitor.connect(connections);
    }
    return competitors;
  }

  /** Ends every process; resolves when all are gone. */
  async stop(): Promise<void> {
    await Promise.all(this.#competitors.splice(0).map((competitor) => competitor.stop()));
  }

  /** Warms up, then lets all take their windows in turn. */
  async rounds(
    name: string,
    competitors: readonly Competitor[],
    measure: (competitor: Competitor, ms: number) => Promise<Figure>,
    count = this.pace.rounds,
  ): Promise<Measured> {
    const { windowMs, caseMs } = this.pace;
    for (const competitor of competitors) {
      await this.#warmUp(competitor, measure);
      const { profileFolder, workload } = this.#options;
      if (profileFolder !== null) competitor.profile(join(profileFolder, `${workload}-${competitor.label}.cpuprofile`));
    }
    const rounds: Round[] = [];
    let compared = 0;
    const until = performance.now() + caseMs;
    for (let at = 0; at < count && (at < ROUNDS_MIN || performance.now() < until); at += 1) {
      const round = new Map<string, number>();
      for (const competitor of at % 2 === 0 ? competitors : [...competitors].reverse()) {
        const figure = await measure(competitor, windowMs);
        round.set(competitor.label, figure.value);
        compared += figure.compared ?? 0;
      }
      rounds.push(round);
      this.progress(`${name}, round ${at + 1} of ${count}: ${textOf(round)}`);
    }
    return { rounds, compared };
  }

  /** Until it has had its CPU time, for on a busy machine time alone compiles nothing. */
  async #warmUp(competitor: Competitor, measure: (competitor: Competitor, ms: number) => Promise<Figure>) {
    const { warmUpMs } = this.pace;
    const enoughNs = competitor.cpuNs() + warmUpMs * 1e6;
    for (let at = 0; at < WARM_UPS_MAX && competitor.cpuNs() < enoughNs; at += 1)
      await measure(competitor, warmUpMs / 2);
  }

  /** A heap snapshot, where profiles are asked for. */
  async snapshot(competitor: Competitor): Promise<void> {
    const { profileFolder, workload } = this.#options;
    if (profileFolder !== null)
      await competitor.snapshot(join(profileFolder, `${workload}-${competitor.label}.heapsnapshot`));
  }
}

function textOf(round: Round): string {
  return [...round]
    .map(([label, value]) => `${label} ${value.toPrecision(3)}`)
    .sort()
    .join(' · ');
}
