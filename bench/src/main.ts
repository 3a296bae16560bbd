// Usage: npm run bench -- [--quick] [--only <workload>,…] [--windows <number>] [--profile]
// What Runnel costs beside others, in one run. Results: Markdown, JSON in bench/results, and after a whole run docs/PERFORMANCE.md.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Arguments, argumentsOf } from './arguments.ts';
import { buildAll } from './build.ts';
import { requireCpuTime } from './cpu-time.ts';
import { inserted, markdownOf } from './markdown.ts';
import { svgOf } from './plot.ts';
import {
  failedResult,
  type Results,
  surroundings,
  type WorkloadResult,
  workloadResult,
  writeResults,
} from './results.ts';
import { Stage } from './stage.ts';
import { browser } from './workloads/browser.ts';
import type { Workload } from './workloads/workload.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = fileURLToPath(new URL('../results', import.meta.url));
const documentFile = `${root}/docs/PERFORMANCE.md`;
const PLOT_FILE = 'growth.svg';
const FILES_MIN = 11_000;

const startedAt = performance.now();
const seconds = (): number => (performance.now() - startedAt) / 1_000;
const progress = (text: string): void => console.error(`${seconds().toFixed(0).padStart(4)} s  ${text}`);
const versions = new Set<string>();

async function runAll({ workloads, ...run }: Arguments, stopped: Promise<never>): Promise<WorkloadResult[]> {
  const results: WorkloadResult[] = [];
  for (const [i, workload] of workloads.entries()) {
    progress(`— ${workload.title} (${i + 1} of ${workloads.length})`);
    results.push(await runOne(workload, run, stopped));
  }
  return results;
}

/** A workload that fails leaves the others theirs. */
async function runOne(workload: Workload, { pace, profile }: Omit<Arguments, 'workloads'>, stopped: Promise<never>) {
  const since = seconds();
  const lasted = (): number => Math.round(seconds() - since);
  const stage = new Stage({ workload: workload.name, pace, progress, profileFolder: profile ? folder : null });
  try {
    const findings = await Promise.race([stopped, workload.run(stage)]);
    return workloadResult(workload, findings, lasted());
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    progress(`failed: ${failure}`);
    process.exitCode = 1;
    return failedResult(workload, failure, lasted());
  } finally {
    for (const version of stage.versions.values()) versions.add(version);
    await stage.stop();
  }
}

function publish(results: Results, { pace, complete }: Arguments): void {
  const file = writeResults(results, pace.name, folder);
  const plots = results.workloads.flatMap((workload) => workload.plots);
  if (plots.length > 0) writeFileSync(complete ? `${root}/docs/${PLOT_FILE}` : `${folder}/${PLOT_FILE}`, svgOf(plots));
  const markdown = markdownOf(results, plots.length > 0 ? PLOT_FILE : null);
  if (complete) writeFileSync(documentFile, inserted(readFileSync(documentFile, 'utf8'), markdown));
  console.log(`\n${markdown}\n\nWritten to ${file}${complete ? ` and ${documentFile}` : ''}`);
}

/** Node has raised the soft limit to the hard one, which it cannot raise itself. */
function requireFiles(): void {
  const limit = Number(/^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
  if (limit < FILES_MIN) throw new Error(`10,000 connections need ulimit -n ${FILES_MIN}; it is ${limit}.`);
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
  requireFiles();
  const args = process.argv.slice(2);
  const run = argumentsOf(args);
  const stopped = interruption(run.pace.limitMs);
  const [before = 0] = loadavg();
  mkdirSync(folder, { recursive: true });
  progress('building the packages');
  await buildAll(['server', ...(run.workloads.includes(browser) ? ['client'] : [])]);
  const workloads = await runAll(run, stopped);
  const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  const load = [before, loadavg()[0] ?? 0] as const;
  publish(
    { command, ...surroundings(), load, seconds: Math.round(seconds()), versions: [...versions], workloads },
    run,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
