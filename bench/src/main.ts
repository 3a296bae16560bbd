// Usage: npm run bench -- [--quick] [--profile] [--only=name,name]
// Server CPU per delivered message of Runnel and others, side by side. Results: a Markdown table, and JSON in bench/results.

import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Arena } from './arena.ts';
import { requireCpuTime } from './cpu-time.ts';
import { Measurement } from './measure.ts';
import { type Plan, planOf } from './plan.ts';
import { markdownOf } from './report.ts';
import { resultsOf, writeResults } from './results.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = fileURLToPath(new URL('../results', import.meta.url));
const startedAt = performance.now();
const seconds = (): number => (performance.now() - startedAt) / 1_000;
const progress = (text: string): void => console.error(`${seconds().toFixed(0).padStart(4)} s  ${text}`);

async function run(plan: Plan, args: readonly string[], stopped: Promise<never>): Promise<void> {
  const arena = new Arena(plan);
  try {
    await Promise.race([stopped, measure(plan, args, arena)]);
  } finally {
    await arena.stop();
  }
}

async function measure(plan: Plan, args: readonly string[], arena: Arena): Promise<void> {
  const loadBefore = loadavg()[0] ?? 0;
  const { competitors, load } = await arena.start(progress);
  const rounds = await new Measurement({ plan, competitors, load, progress }).run(startedAt);
  const results = await resultsOf({ plan, args, rounds, competitors, loadBefore, seconds: seconds() });
  const file = writeResults(results, folder);
  console.log(
    `\n${markdownOf(results)}\n\nWritten to ${file}${plan.profileFolder !== null ? `; CPU profiles beside it` : ''}`,
  );
}

/** What is measured is what is published: compiled JavaScript, not TypeScript on the fly. */
function build(): void {
  progress('building the server');
  execFileSync('node_modules/.bin/tsc', ['--build', 'packages/server'], { cwd: root, stdio: 'inherit' });
}

/** Rejects on a signal to end, and when the run takes too long. */
function interruption(limitMs: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => reject(new Error(`stopped by ${signal}`)));
    }
    setTimeout(() => reject(new Error(`given up after ${limitMs / 1_000} s`)), limitMs).unref();
  });
}

try {
  requireCpuTime();
  const args = process.argv.slice(2);
  const plan = planOf(args, folder);
  const stopped = interruption(plan.limitMs);
  build();
  await run(plan, args, stopped);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
