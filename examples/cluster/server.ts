// The demo on three nodes that share Redis, behind an nginx that knows no sessions. Kill a node while you chat: another takes over.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'runnel-cluster-'));
const running = new Set<ChildProcess>();
let stopping = false;

/** Starts a program in a group of its own: Ctrl-C is for this process, which ends the others in their order. */
function start(program: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  // Debian keeps servers where only root's PATH looks.
  const all = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin`, ...env };
  const child = spawn(program, args, { cwd: root, env: all, detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.once('error', () => {
    console.error(`There is no ${program}. On Debian, as root: apt-get install ${program}`);
    process.exit(1);
  });
  return child;
}

async function freePort(wanted = 0): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function startNode(name: string, port: number, redis: number): ChildProcess {
  const env = { PORT: String(port), REDIS_URL: `redis://127.0.0.1:${redis}` };
  const child = start(process.execPath, ['--conditions=@runnel/source', '--import=tsx', 'apps/demo/src/main.ts'], env);
  console.log(`${name} is process ${child.pid}. What happens to those who chat by it? kill -9 ${child.pid}`);
  child.once('exit', (_, signal) => {
    if (!stopping && signal !== null) nodes.set(name, startNode(name, port, redis));
  });
  return child;
}

/** Ends a program by its id, at the latest when its time is over. */
async function end(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  child.kill('SIGTERM');
  await once(child, 'exit');
  clearTimeout(late);
}

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const [port, redis] = [await freePort(Number(process.env['PORT'] ?? 3000)), await freePort()];
await once(start(process.execPath, ['--conditions=@runnel/source', 'apps/demo/scripts/bundle.mjs']), 'exit');
const store = start('redis-server', ['--bind', '127.0.0.1', '--port', String(redis), '--dir', folder, '--save', '']);
const nodes = new Map<string, ChildProcess>();
let config = readFileSync(new URL('nginx.conf', import.meta.url), 'utf8').replace(
  'listen 80',
  `listen 127.0.0.1:${port}`,
);
for (const name of ['node-1', 'node-2', 'node-3']) {
  const own = await freePort();
  nodes.set(name, startNode(name, own, redis));
  config = config.replace(`${name}:3000`, `127.0.0.1:${own}`);
}
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};`);
const http = `access_log off; ${temporary.join(' ')} ${config}`;
writeFileSync(join(folder, 'nginx.conf'), `daemon off; master_process off; pid pid; events {} http { ${http} }`);
const balancer = start('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log']);

const url = `http://127.0.0.1:${port}`;
while (
  !(await fetch(`${url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  ))
)
  await new Promise((resolve) => setTimeout(resolve, 100));
console.log(`Open ${url}`);

const stop = async () => {
  if (stopping) return;
  stopping = true;
  await Promise.all([...nodes.values()].map(end));
  await end(balancer);
  await end(store);
};
process.on('SIGINT', stop).on('SIGTERM', stop);
