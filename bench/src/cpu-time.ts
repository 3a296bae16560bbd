/** What the kernel knows of a process. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Time that all threads of these processes have spent on a CPU, ns, kernel time included, from the scheduler's own books: exact to the nanosecond
 * for threads that sleep, where `process.cpuUsage()` counts in ticks and does not reach other processes.
 */
export function cpuTimeNs(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      // Its first number is the time on a CPU, the second the time of waiting for one.
      const [onCpu] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ');
      total += Number(onCpu);
    }
  }
  return total;
}

/** Resident memory of these processes, bytes. */
export function rssBytes(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids) {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    total += Number(kilobytes) * 1_024;
  }
  return total;
}

/** @throws where the kernel does not tell */
export function requireCpuTime(): void {
  try {
    if (cpuTimeNs([process.pid]) > 0) return;
  } catch {
    // Said below.
  }
  throw new Error(
    'The benchmark reads /proc/<pid>/task/*/schedstat, which this system does not have. It runs on Linux with CONFIG_SCHED_INFO; ' +
      'elsewhere, run it in a Linux container.',
  );
}
