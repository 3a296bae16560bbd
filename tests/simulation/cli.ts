/**
 * npm run sim -- --seeds 100000 [--from N] [--world session|app|cluster|fleet]: runs schedules on all cores, with progress, up to the first failure.
 * npm run sim -- --seed N [--world session|app|cluster|fleet]: runs one, with its event log.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { CoveredEvent } from './coverage.ts';
import { Coverage } from './coverage.ts';
import { accountOf, type Batch, type Failure, runBatch, runSeed, WORLDS, type WorldName, worldOf } from './runner.ts';

/** Seeds handed to a worker at a time: a second or so. */
const BATCH_SEEDS = 100;
const PROGRESS_MS = 1_000;

/** What a worker says of a batch. */
interface Report {
  readonly done: number;
  readonly events: number;
  readonly counts: ReadonlyMap<CoveredEvent, number>;
  readonly failure: Failure | null;
}

// A worker is this file in a process of its own: it has a channel to the one that started it.
if (process.send === undefined) process.exitCode = await main();
else process.on('message', work);

async function work(batch: Batch): Promise<void> {
  const { done, events, coverage, failure } = await runBatch(batch);
  process.send?.({ done, events, counts: coverage.counts, failure } satisfies Report);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '2000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      world: { type: 'string' },
      workers: { type: 'string', default: String(availableParallelism()) },
    },
  });
  const world = WORLDS.find((name) => name === values.world);
  if (values.world !== undefined && world === undefined)
    throw new Error(`--world is ${values.world}; it may be ${WORLDS.join(' or ')}.`);
  if (values.seed !== undefined) return showOne(number('--seed', values.seed), world);
  return runAll(
    { from: number('--from', values.from), count: number('--seeds', values.seeds), world },
    number('--workers', values.workers),
  );
}

function number(name: string, given: string): number {
  const value = Number(given);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`${name} is ${given}; it must be a whole number.`);
}

async function showOne(seed: number, world: WorldName = worldOf(seed)): Promise<number> {
  let tail = (): string[] => [];
  try {
    const { events, hash } = await runSeed(seed, {
      world,
      hashed: true,
      onWorld: ({ log }) => {
        log.keepAll();
        tail = () => log.tail();
      },
    });
    console.log(tail().join('\n'));
    console.log(`\nseed ${seed} of the ${world} world holds: ${events} events, log ${hash}`);
    return 0;
  } catch (error) {
    console.log(tail().join('\n'));
    console.log(`\nseed ${seed} of the ${world} world:`, error);
    return 1;
  }
}

async function runAll({ from, count, world }: Batch, workers: number): Promise<number> {
  const coverage = new Coverage();
  const startedAt = performance.now();
  let next = from;
  let done = 0;
  let events = 0;
  let failure: Failure | null = null;
  const progress = (): string => {
    const seconds = (performance.now() - startedAt) / 1_000;
    return `${done} of ${count} schedules, ${(done / seconds).toFixed(0)} per second, ${(events / 1e6).toFixed(1)} million events, ${failure === null ? 0 : 1} failed`;
  };
  const timer = setInterval(() => console.log(progress()), PROGRESS_MS);
  const runWorker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = fork(fileURLToPath(import.meta.url), { serialization: 'advanced' });
      let finished = false;
      const feed = (): void => {
        finished = failure !== null || next >= from + count;
        if (finished) return worker.disconnect();
        const batch: Batch = { from: next, count: Math.min(BATCH_SEEDS, from + count - next), world };
        next += batch.count;
        worker.send(batch);
      };
      worker.on('error', reject);
      worker.on('exit', (code) => (finished ? resolve() : reject(new Error(`a worker ended with ${code}`))));
      worker.on('message', (message) => {
        const report = message as Report;
        done += report.done;
        events += report.events;
        coverage.add(report.counts);
        // Of two failures the one with the lower seed is told, whichever worker was faster.
        if (report.failure !== null && (failure === null || report.failure.seed < failure.seed))
          failure = report.failure;
        feed();
      });
      feed();
    });
  await Promise.all(Array.from({ length: Math.max(1, workers) }, runWorker));
  clearInterval(timer);
  console.log(progress());
  if (failure !== null) {
    console.log(`\n${accountOf(failure)}`);
    return 1;
  }
  const seen = [...coverage.counts].sort(([a], [b]) => a.localeCompare(b)).map(([event, times]) => `${event} ${times}`);
  console.log(`\nseen: ${seen.join(', ')}`);
  return 0;
}
