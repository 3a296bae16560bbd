/** What a run has found, as it is written to `bench/results`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { type Competitor, type Memory, memoryOf } from './arena.ts';
import type { ContenderName } from './contenders/roster.ts';
import { type Round, ratio } from './measure.ts';
import type { Plan } from './plan.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** One contender in one workload. */
export interface Score {
  readonly workload: string;
  readonly contender: ContenderName;
  /** Server CPU per delivered message as a multiple of the baseline's in the same round. */
  readonly ratio: Spread;
  /** Absolute; for judging the noise, not for comparing runs. */
  readonly cpuNsPerMessage: Spread;
  readonly wireBytesPerMessage: number;
  /** Runnel's server CPU per delivered message as a multiple of this contender's. */
  readonly runnelRatio: Spread | null;
  readonly windows: number;
  readonly turns: number;
  readonly compared: number;
}

interface MemoryScore {
  readonly contender: ContenderName;
  readonly version: string;
  /** After the last window, with all subscribers connected. */
  readonly end: Memory;
  /** What a connection added before the first message. */
  readonly perConnection: Memory;
}

export interface Results {
  readonly command: string;
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly loadAverage: { readonly before: number; readonly after: number };
  readonly seconds: number;
  readonly plan: Plan;
  readonly scores: readonly Score[];
  readonly memory: readonly MemoryScore[];
}

export interface Run {
  readonly plan: Plan;
  readonly args: readonly string[];
  readonly rounds: readonly Round[];
  readonly competitors: readonly Competitor[];
  readonly loadBefore: number;
  readonly seconds: number;
}

/** To be called while the servers are still up. */
export async function resultsOf({ plan, args, rounds, competitors, loadBefore, seconds }: Run): Promise<Results> {
  const memory: MemoryScore[] = [];
  for (const { name, version, server, empty, idle } of competitors) {
    const perConnection = {
      heapBytes: (idle.heapBytes - empty.heapBytes) / plan.subscribers,
      rssBytes: (idle.rssBytes - empty.rssBytes) / plan.subscribers,
    };
    memory.push({ contender: name, version, end: await memoryOf(server), perConnection });
  }
  return {
    command: ['npm run bench --', ...args].join(' '),
    date: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    kernel: release(),
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    loadAverage: { before: loadBefore, after: loadavg()[0] ?? 0 },
    seconds: Math.round(seconds),
    plan,
    scores: plan.workloads.flatMap(({ name }) => {
      const own = rounds.filter(({ workload }) => workload.name === name);
      return plan.contenders.map((contender) => scoreOf(own, contender));
    }),
    memory,
  };
}

/** Returns the file's name. */
export function writeResults(results: Results, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${results.date.replaceAll(':', '-').slice(0, 19)}-${results.plan.name}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return file;
}

function scoreOf(rounds: readonly Round[], contender: ContenderName): Score {
  const windows = rounds.flatMap((round) => round.windows.get(contender) ?? []);
  const takesPart = rounds[0]?.windows.has('runnel') ?? false;
  return {
    workload: rounds[0]?.workload.name ?? '',
    contender,
    ratio: spreadOf(rounds.map((round) => ratio(round, contender))),
    cpuNsPerMessage: spreadOf(windows.map(({ cpuNsPerMessage }) => cpuNsPerMessage)),
    wireBytesPerMessage: spreadOf(windows.map(({ wireBytesPerMessage }) => wireBytesPerMessage)).median,
    runnelRatio: takesPart ? spreadOf(rounds.map((round) => ratio(round, 'runnel', contender))) : null,
    windows: windows.length,
    turns: windows.reduce((sum, { turns }) => sum + turns, 0),
    compared: windows.reduce((sum, { compared }) => sum + compared, 0),
  };
}

/** Of the tree that was measured, as far as git can say. */
function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return 'unknown';
  }
}
