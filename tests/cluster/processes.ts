/** Nodes as processes of their own, Redis, and nginx before them that knows nothing of sessions. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Client, type ClientOptions, createClient } from '@runnel/client';
import { startRedis } from '../brokers/programs/redis-server.ts';
import type { ServerProcess } from '../brokers/programs/server-process.ts';
import { startNginx, WEBSOCKET_CONFIGURED } from '../gauntlet/intermediaries/nginx.ts';
import type { Program } from '../gauntlet/intermediaries/program.ts';
import { Collector } from '../support/collector.ts';
import { freePort } from '../support/free-port.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import type { Contract, NodeNews, NodeOrder } from './programs/contract.ts';

const program = fileURLToPath(new URL('programs/node.ts', import.meta.url));

/** One node, started again and again on one port, with a connection to Redis of its own that can be cut. */
export class NodeProcess {
  readonly port: number;
  readonly broker: TcpProxy;
  /** What its processes have told, all together. */
  readonly news: Collector<NodeNews> = new Collector<NodeNews>();
  readonly #leaseMs: number;
  #child: ChildProcess | null = null;

  constructor(port: number, broker: TcpProxy, leaseMs: number) {
    this.port = port;
    this.broker = broker;
    this.#leaseMs = leaseMs;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const args = ['--conditions=@runnel/source', '--import=tsx', program];
    const url = `redis://127.0.0.1:${this.broker.port}`;
    const child = spawn(process.execPath, [...args, String(this.port), url, String(this.#leaseMs)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.on('message', (news: NodeNews) => {
        this.news.push(news);
        if (news.is === 'listening') resolve();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`A node ended with ${code ?? signal}.`)));
    });
  }

  tell(order: NodeOrder): void {
    this.#child?.send(order);
  }

  /** Resolves when it has ended, of `SIGKILL` at once, of `SIGTERM` when it has brought its sessions elsewhere. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

export class Processes {
  readonly redis: ServerProcess;
  readonly nodes: readonly NodeProcess[];
  readonly #nginx: Program;
  readonly #clients: Client<Contract>[] = [];

  private constructor(redis: ServerProcess, nodes: readonly NodeProcess[], nginx: Program) {
    this.redis = redis;
    this.nodes = nodes;
    this.#nginx = nginx;
  }

  /** @param leaseMs the broker's; default: its own */
  static async start(count: number, leaseMs = 10_000): Promise<Processes> {
    const redis = await startRedis();
    const nodes: NodeProcess[] = [];
    for (let n = 0; n < count; n += 1)
      nodes.push(new NodeProcess(await freePort(), await TcpProxy.start(redis.port), leaseMs));
    await Promise.all(nodes.map((node) => node.start()));
    const nginx = await startNginx(0, {
      http: `
        ${WEBSOCKET_CONFIGURED.http}
        upstream nodes { ${nodes.map(({ port }) => `server 127.0.0.1:${port} max_fails=0;`).join(' ')} }
      `,
      location: `${WEBSOCKET_CONFIGURED.location} proxy_next_upstream error timeout;`,
      upstream: 'nodes',
    });
    return new Processes(redis, nodes, nginx);
  }

  client(id: string, options: ClientOptions): Client<Contract> {
    const url = `http://127.0.0.1:${this.#nginx.port}/realtime`;
    const client = createClient<Contract>(url, { auth: id, timeoutMs: 60_000, ...options });
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.nodes.map((node) => node.end('SIGKILL')));
    await this.#nginx.stop();
    await Promise.all(this.nodes.map(({ broker }) => broker.close()));
    await this.redis.stop();
  }
}
