import { type Pace, paces } from './pace.ts';
import { workloads } from './workloads/roster.ts';
import type { Workload } from './workloads/workload.ts';

const USAGE = 'npm run bench -- [--quick] [--only <workload>,…] [--windows <number>] [--profile]';

export interface Arguments {
  readonly pace: Pace;
  readonly workloads: readonly Workload[];
  /** Whether CPU profiles and heap snapshots are written beside the results. */
  readonly profile: boolean;
  /** Whether it is the run whose results belong into the documentation. */
  readonly complete: boolean;
}

/** `--name value` and `--name=value`. @throws what is wrong, and what there is */
export function argumentsOf(args: readonly string[]): Arguments {
  const left = args.flatMap((arg) => arg.split(/=(.*)/, 2));
  let pace = paces.full;
  let windows: number | null = null;
  let only: readonly Workload[] | null = null;
  let profile = false;
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    if (arg === '--quick') pace = paces.quick;
    else if (arg === '--smoke') pace = paces.smoke;
    else if (arg === '--profile') profile = true;
    else if (arg === '--only') only = named(left.shift() ?? '');
    else if (arg === '--windows') windows = positive(left.shift());
    else throw new Error(`Unknown argument ${arg}. Usage: ${USAGE}`);
  }
  const chosen = only ?? workloads.filter(({ quick }) => quick || pace !== paces.quick);
  const complete = pace === paces.full && only === null && windows === null && !profile;
  return { pace: windows === null ? pace : { ...pace, rounds: windows }, workloads: chosen, profile, complete };
}

function named(list: string): readonly Workload[] {
  const names = list.split(',');
  const unknown = names.find((name) => !workloads.some((workload) => workload.name === name));
  if (unknown === undefined) return workloads.filter(({ name }) => names.includes(name));
  throw new Error(`No workload '${unknown}'. There are ${workloads.map(({ name }) => name).join(', ')}.`);
}

function positive(text = ''): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--windows needs a number above 0, not '${text}'.`);
}
