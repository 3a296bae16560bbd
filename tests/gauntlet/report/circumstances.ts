/** With what, when and where a report was made. */
import { execFile } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { promisify } from 'node:util';
import type { Plan } from './plan.ts';

const PROGRAMS = [
  ['nginx', '-v'],
  ['haproxy', '-v'],
  ['apache2', '-v'],
  ['varnishd', '-V'],
  ['squid', '-v'],
] as const;

export async function circumstancesOf({ contenders, runs, atATime }: Plan, args: readonly string[]): Promise<string> {
  const command = ['npm run gauntlet', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  const programs = await Promise.all(PROGRAMS.map(versionOf));
  const others = [...new Set(contenders.map(({ name, version }) => `${name.split(',')[0]} ${version}`))];
  const load = (loadavg()[0] ?? 0).toFixed(1);
  return [
    `\`${command}\`, ${new Date().toISOString().slice(0, 10)};`,
    `${runs === 1 ? 'one run' : `of Runnel the worst of ${runs} runs, of the others one run`}, ${atATime} crossings at a time`,
    `on ${availableParallelism()} cores with a load average of ${load} before.`,
    `Node ${process.versions.node}, ${others.join(', ')};`,
    `${programs.join(', ')}.`,
  ].join(' ');
}

async function versionOf([program, option]: readonly [string, string]): Promise<string> {
  // Debian keeps servers where only root's PATH looks.
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
  const { stdout, stderr } = await promisify(execFile)(program, [option], { env });
  return `${program.replace('varnishd', 'varnish')} ${/\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0]}`;
}
