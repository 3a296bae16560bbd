/** What a contender's crossings of a situation come to: the worst of all runs. */
import type { Faults } from '../arrivals.ts';
import { promises, type Situation } from '../situation.ts';
import type { Outcome } from './runner.ts';

const FAULTS = ['lost', 'repeated', 'reordered', 'altered'] as const;

export interface Verdict {
  /** Whether anything has arrived at all. */
  readonly reached: boolean;
  /** Messages of both directions, by what went wrong with them; those that are 0 are left out. */
  readonly faults: readonly (readonly [fault: keyof Faults, count: number])[];
  readonly transport: string | null;
  /** How much later than over a direct connection the first message came, when it came, and how long the slowest took, ms. */
  readonly lateMs: number;
  readonly firstMs: number;
  readonly slowestMs: number;
  /** What ended a run, where that was not its plan. */
  readonly failures: readonly string[];
}

/** Null where there was no run. */
export function verdictOf(outcomes: readonly Outcome[]): Verdict | null {
  if (outcomes.length === 0) return null;
  const failures = outcomes.filter((outcome) => typeof outcome === 'string');
  const crossings = outcomes.filter((outcome) => typeof outcome !== 'string');
  const counts = FAULTS.map((fault) => {
    const ofRuns = crossings.map(({ up, down }) => up[fault].length + down[fault].length);
    return [fault, Math.max(0, ...ofRuns)] as const;
  });
  return {
    reached: crossings.length > 0 && crossings.every(({ firstMs }) => Number.isFinite(firstMs)),
    faults: counts.filter(([, count]) => count > 0),
    transport: crossings.at(-1)?.transport ?? null,
    lateMs: Math.max(...crossings.map(({ firstMs, directMs }) => firstMs - directMs)),
    firstMs: Math.max(...crossings.map(({ firstMs }) => firstMs)),
    slowestMs: Math.max(...crossings.map(({ slowestMs }) => slowestMs)),
    failures,
  };
}

/** Whether every message has arrived once, in order and unaltered. */
export function isWhole({ reached, faults, failures }: Verdict): boolean {
  return reached && faults.length === 0 && failures.length === 0;
}

/** Which of our own promises were not kept; none: all were. */
export function misses(situation: Situation, verdict: Verdict): readonly string[] {
  const { firstMs, slowestMs } = promises(situation);
  return [
    ...(isWhole(verdict) ? [] : ['messages']),
    ...(verdict.lateMs > firstMs ? [`first ${ms(verdict.lateMs)} late, target ${ms(firstMs)}`] : []),
    ...(verdict.slowestMs > slowestMs ? [`slowest ${ms(verdict.slowestMs)}, target ${ms(slowestMs)}`] : []),
  ];
}

function ms(time: number): string {
  return `${Math.round(time)} ms`;
}
