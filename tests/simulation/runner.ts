/** Runs schedules of all worlds by seed, and tells of the first that fails so that it can be run again. */
import { APP_SCHEDULE } from './app-schedule.ts';
import { CLUSTER_SCHEDULE } from './cluster-schedule.ts';
import { Coverage } from './coverage.ts';
import type { EventLog } from './event-log.ts';
import { FLEET_SCHEDULE } from './fleet-schedule.ts';
import { runSchedule, type ScheduleResult } from './schedule.ts';
import { runWorld } from './world-run.ts';

export const WORLDS = ['session', 'app', 'cluster', 'fleet'] as const;
export type WorldName = (typeof WORLDS)[number];

/** Of so many seeds one each is of the application, the cluster and the fleet world, which are dearer. */
const EVERY = 4;

/** Which world a seed belongs to unless somebody says otherwise. */
export const worldOf = (seed: number): WorldName => (['app', 'cluster', 'fleet'] as const)[seed % EVERY] ?? 'session';

export interface Failure {
  readonly seed: number;
  readonly world: WorldName;
  readonly message: string;
  /** The last things that happened. */
  readonly log: readonly string[];
}

interface World {
  readonly log: EventLog;
}

/** Runs one schedule; `hashed` asks for the hash of its log. */
export async function runSeed(
  seed: number,
  options: { world?: WorldName | undefined; hashed?: boolean; onWorld?: (world: World) => void } = {},
): Promise<ScheduleResult> {
  const { world = worldOf(seed), hashed = false, onWorld = () => {} } = options;
  const given = { seed, onWorld, hashed };
  switch (world) {
    case 'session':
      return runSchedule(seed, onWorld, hashed);
    case 'app':
      return runWorld(APP_SCHEDULE, given);
    case 'cluster':
      return runWorld(CLUSTER_SCHEDULE, given);
    case 'fleet':
      return runWorld(FLEET_SCHEDULE, given);
  }
}

export interface Batch {
  readonly from: number;
  readonly count: number;
  readonly world?: WorldName | undefined;
}

export interface BatchResult {
  readonly done: number;
  readonly events: number;
  readonly coverage: Coverage;
  readonly failure: Failure | null;
}

/** Runs seeds one after another up to the first that fails. */
export async function runBatch({ from, count, world }: Batch): Promise<BatchResult> {
  const coverage = new Coverage();
  let events = 0;
  for (let seed = from; seed < from + count; seed += 1) {
    const failure = await trySeed(seed, world, (result) => {
      events += result.events;
      coverage.add(result.coverage);
    });
    if (failure !== null) return { done: seed - from, events, coverage, failure };
  }
  return { done: count, events, coverage, failure: null };
}

async function trySeed(
  seed: number,
  world: WorldName | undefined,
  onResult: (result: ScheduleResult) => void,
): Promise<Failure | null> {
  let log: EventLog | null = null;
  try {
    onResult(
      await runSeed(seed, {
        world,
        onWorld: (started) => {
          log = started.log;
        },
      }),
    );
    return null;
  } catch (error) {
    const tail = (log as EventLog | null)?.tail(40) ?? [];
    return { seed, world: world ?? worldOf(seed), message: inWords(error), log: tail };
  }
}

/** A broken invariant in one line, anything else with its stack. */
const inWords = (error: unknown): string =>
  error instanceof Error
    ? error.message.startsWith('invariant')
      ? error.message
      : (error.stack ?? error.message)
    : String(error);

/** How to see one schedule again. */
const replayCommand = ({ seed, world }: Pick<Failure, 'seed' | 'world'>): string =>
  `npm run sim -- --seed ${seed} --world ${world}`;

export function accountOf(failure: Failure): string {
  return [
    ...failure.log,
    '',
    `seed ${failure.seed} of the ${failure.world} world: ${failure.message}`,
    `replay: ${replayCommand(failure)}`,
  ].join('\n');
}
