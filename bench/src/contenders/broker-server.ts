/** Redis or NATS from the system's packages, on a free port of the loopback interface, for as long as this process lives. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from './contender.ts';

export type BrokerName = 'redis' | 'nats';

const START_MS = 10_000;
const PROGRAMS = {
  redis: {
    file: '/usr/bin/redis-server',
    // Nothing on disk: what is measured is the hop.
    args: (port: number, folder: string) =>
      `--bind 127.0.0.1 --port ${port} --dir ${folder} --save --appendonly no`
        .split(' ')
        .flatMap((arg) => (arg === '--save' ? ['--save', ''] : [arg])),
  },
  nats: {
    file: '/usr/sbin/nats-server',
    args: (port: number, folder: string) => `-a 127.0.0.1 -p ${port} -js -sd ${folder}`.split(' '),
  },
} as const;

export interface BrokerServer {
  readonly url: string;
  readonly pid: number;
}

/** Debian: `apt-get install redis-server nats-server`. */
export function hasBroker(name: BrokerName): boolean {
  return existsSync(PROGRAMS[name].file);
}

export async function startBroker(name: BrokerName): Promise<BrokerServer> {
  const { file, args } = PROGRAMS[name];
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), `runnel-bench-${name}-`));
  const child: ChildProcess = spawn(file, args(port, folder), { stdio: 'ignore' });
  process.once('exit', () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const until = performance.now() + START_MS;
  while (!(await isUp(port))) {
    if (performance.now() > until) throw new Error(`${file} did not start`);
    await sleep(20);
  }
  return { url: `${name}://127.0.0.1:${port}`, pid: child.pid ?? 0 };
}

async function isUp(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Nobody else is likely to take it in the moment between. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
