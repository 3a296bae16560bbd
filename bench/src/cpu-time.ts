/**
 * CPU time of a process, kernel time included, from the scheduler's own books: exact to the nanosecond for threads that sleep, where
 * `process.cpuUsage()` counts in ticks and does not reach other processes.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Time that all threads of `pid` have spent on a CPU, ns. */
export function cpuTimeNs(pid: number): number {
  let total = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    // Its first number is the time on a CPU, the second the time of waiting for one.
    const [onCpu] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ');
    total += Number(onCpu);
  }
  return total;
}

/** @throws where the kernel does not tell */
export function requireCpuTime(): void {
  try {
    if (cpuTimeNs(process.pid) > 0) return;
  } catch {
    // Said below.
  }
  throw new Error(
    'The benchmark reads /proc/<pid>/task/*/schedstat, which this system does not have. It runs on Linux with CONFIG_SCHED_INFO; ' +
      'elsewhere, run it in a Linux container.',
  );
}
