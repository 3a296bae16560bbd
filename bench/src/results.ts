/** What a run has found, as it is written to `bench/results`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import type { Case, Findings, Plot, Round, Target } from './findings.ts';
import { type Spread, spreadOf } from './statistics.ts';
import type { Workload } from './workloads/workload.ts';

/** One contender in one case. */
interface Score {
  readonly label: string;
  readonly figure: Spread;
  /** As a multiple of the baseline's in the same round; null where there is none. */
  readonly ratio: Spread | null;
}

export interface Verdict extends Target {
  /** Median of what `max` bounds. */
  readonly measured: number;
  /** The same of the floor; null where there is none. */
  readonly least: number | null;
  readonly pass: boolean;
}

export interface CaseResult {
  readonly name: string;
  readonly unit: string;
  readonly baseline: string | null;
  readonly note: string | null;
  readonly compared: number;
  readonly windows: number;
  readonly scores: readonly Score[];
  readonly verdicts: readonly Verdict[];
}

export interface WorkloadResult {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly seconds: number;
  /** Why it has no results; null where it has. */
  readonly failure: string | null;
  readonly cases: readonly CaseResult[];
  readonly plots: readonly Plot[];
}

export interface Results {
  readonly command: string;
  readonly date: string;
  readonly commit: string;
  readonly node: string;
  readonly kernel: string;
  readonly cpu: string;
  /** Averages of a minute, before and after. */
  readonly load: readonly [before: number, after: number];
  readonly seconds: number;
  readonly versions: readonly string[];
  readonly workloads: readonly WorkloadResult[];
}

export function workloadResult({ name, title, about }: Workload, findings: Findings, seconds: number): WorkloadResult {
  const { cases, plots = [] } = findings;
  return { name, title, about, seconds, failure: null, cases: cases.map(caseResult), plots };
}

export function failedResult({ name, title, about }: Workload, failure: string, seconds: number): WorkloadResult {
  return { name, title, about, seconds, failure, cases: [], plots: [] };
}

export function caseResult({ rounds, baseline, targets, name, unit, compared, ...rest }: Case): CaseResult {
  const labels = [...(rounds[0]?.keys() ?? [])];
  const { note = null } = rest;
  return {
    ...{ name, unit, baseline, note, compared, windows: rounds.length },
    scores: labels.map((label) => ({
      label,
      figure: spreadOf(rounds.map((round) => figureOf(round, label))),
      ratio: baseline === null ? null : spreadOf(rounds.map((round) => ratioOf(round, label, baseline))),
    })),
    verdicts: targets.map((target) => verdictOf(target, rounds)),
  };
}

function verdictOf(target: Target, rounds: readonly Round[]): Verdict {
  const { of, to, max, floor } = target;
  const medianOf = (label: string): number =>
    spreadOf(rounds.map((round) => (to === null ? figureOf(round, label) : ratioOf(round, label, to)))).median;
  const measured = medianOf(of);
  return { ...target, measured, least: floor === undefined ? null : medianOf(floor), pass: measured <= max };
}

function ratioOf(round: Round, label: string, to: string): number {
  return figureOf(round, label) / figureOf(round, to);
}

function figureOf(round: Round, label: string): number {
  const figure = round.get(label);
  if (figure === undefined) throw new Error(`no figure of ${label}`);
  return figure;
}

/** What there is to know of the machine and the tree. */
export function surroundings(): Pick<Results, 'date' | 'commit' | 'node' | 'kernel' | 'cpu'> {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    node: process.version,
    kernel: release(),
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
  };
}

/** Returns the file's name. */
export function writeResults(results: Results, pace: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${results.date.replaceAll(':', '-').slice(0, 19)}-${pace}.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return file;
}

/** Of the tree that was measured, as far as git can say. */
function commit(): string {
  try {
    return String(
      execFileSync('git', ['describe', '--always', '--dirty'], { stdio: ['ignore', 'pipe', 'ignore'] }),
    ).trim();
  } catch {
    return 'unknown';
  }
}
