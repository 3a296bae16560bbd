import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { condition } from '../../support/condition.ts';
import { ServerProcess } from './server-process.ts';

const execute = promisify(execFile);
const SLOTS = 16_384;

/** One Redis server, which keeps nothing on disk. */
export function startRedis(...more: readonly string[]): Promise<ServerProcess> {
  return ServerProcess.start({
    name: 'redis-server',
    debianPackage: 'redis-server',
    args: (port, folder) => [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
      ...['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0', ...more],
    ],
  });
}

/** Runs a command, and gives its answer as text. */
export async function redisCommand({ port }: ServerProcess, ...command: readonly string[]): Promise<string> {
  const { stdout } = await execute('redis-cli', ['-h', '127.0.0.1', '-p', String(port), ...command]);
  return stdout.trim();
}

export interface RedisCluster {
  readonly servers: readonly ServerProcess[];
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

/** Three masters, with a third of the slots each. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const start = (): Promise<ServerProcess> => startRedis('--cluster-enabled', 'yes', '--cluster-node-timeout', '2000');
  const servers = await Promise.all([start(), start(), start()]);
  const [first] = servers;
  for (const [i, server] of servers.entries()) {
    const range = [i, i + 1].map((third) => Math.floor((SLOTS * third) / servers.length));
    await redisCommand(server, 'cluster', 'addslotsrange', String(range[0]), String((range[1] ?? 0) - 1));
    // A node without an epoch of its own has to win one first.
    await redisCommand(server, 'cluster', 'set-config-epoch', String(i + 1));
    if (server !== first) await redisCommand(server, 'cluster', 'meet', '127.0.0.1', String(first.port));
  }
  await condition('every node knows the cluster', async () => {
    const states = await Promise.all(servers.map((server) => redisCommand(server, 'cluster', 'info')));
    return states.every((state) => state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:3'));
  });
  return {
    servers,
    urls: servers.map(({ port }) => `redis://127.0.0.1:${port}`),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
