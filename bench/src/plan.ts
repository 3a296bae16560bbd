/** What is measured, for how long. Everything is bounded twice: in rounds and in time. */
import { type ContenderName, contenderNames, isContenderName } from './contenders/roster.ts';

export interface Workload {
  readonly name: string;
  /** JSON of one message's payload. */
  readonly payloadBytes: number;
  /** Messages that the server broadcasts in one turn of its event loop. */
  readonly perTurn: number;
}

export interface Plan {
  readonly name: 'quick' | 'full';
  readonly contenders: readonly ContenderName[];
  readonly subscribers: number;
  readonly workloads: readonly Workload[];
  readonly rounds: number;
  /** How long each contender is measured in each round. */
  readonly windowMs: number;
  /** How long each contender runs before, uncounted, for the compiler to settle. */
  readonly warmUpMs: number;
  /** No round begins after this. */
  readonly budgetMs: number;
  /** The run is given up after this. */
  readonly limitMs: number;
  /** Where each server writes a CPU profile; null: nowhere. */
  readonly profileFolder: string | null;
}

const workload = (payloadBytes: number, perTurn: number): Workload => ({
  name: `${payloadBytes < 1_024 ? `${payloadBytes} B` : `${payloadBytes / 1_024} KiB`}, ${perTurn} per turn`,
  payloadBytes,
  perTurn,
});

const quick = {
  name: 'quick',
  workloads: [workload(64, 1), workload(64, 10)],
  rounds: 15,
  windowMs: 500,
  warmUpMs: 1_000,
  budgetMs: 95_000,
  limitMs: 118_000,
} as const;

const full = {
  name: 'full',
  workloads: [workload(64, 1), workload(64, 10), workload(1_024, 1), workload(1_024, 10)],
  rounds: 21,
  windowMs: 1_500,
  warmUpMs: 3_000,
  budgetMs: 900_000,
  limitMs: 960_000,
} as const;

/** Usage: `npm run bench -- [--quick] [--profile] [--only=name,name]`; the baseline always takes part.
 * `folder` takes the CPU profiles. */
export function planOf(args: readonly string[], folder: string): Plan {
  let profile = false;
  let base: typeof quick | typeof full = full;
  let contenders: readonly ContenderName[] = contenderNames;
  for (const arg of args) {
    if (arg === '--quick') base = quick;
    else if (arg === '--profile') profile = true;
    else if (arg.startsWith('--only=')) contenders = only(arg.slice('--only='.length).split(','));
    else throw new Error(`Unknown argument ${arg}. Known: --quick, --profile, --only=${contenderNames.join(',')}`);
  }
  return { ...base, contenders, subscribers: 1_000, profileFolder: profile ? folder : null };
}

function only(names: readonly string[]): readonly ContenderName[] {
  const unknown = names.find((name) => !isContenderName(name));
  if (unknown !== undefined) throw new Error(`No contender ${unknown}. Known: ${contenderNames.join(', ')}`);
  return contenderNames.filter((name) => name === BASELINE || names.includes(name));
}

/** What the others are measured against. */
export const BASELINE: ContenderName = 'ws';
