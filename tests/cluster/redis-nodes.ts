/** Nodes in one process over a real Redis, each with a path of its own to it that can be cut, slowed, or led elsewhere. */
import { type Client, createClient } from '@runnel/client';
import { channel, defineContract } from '@runnel/protocol';
import { createServer, type RunnelServer } from '@runnel/server';
import { redisBroker } from '@runnel/server/redis';
import { z } from 'zod';
import { startRedis } from '../brokers/programs/redis-server.ts';
import type { ServerProcess } from '../brokers/programs/server-process.ts';
import { MortalHttpServer } from '../support/mortal-http-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

const contract = defineContract({
  log: channel({
    events: { number: z.number() },
    publish: { number: z.number() },
    presence: z.object({ name: z.string() }),
    history: { size: 1_000, ttl: '1h' },
  }),
  live: channel({ events: { number: z.number() }, publish: { number: z.number() } }),
});
type Contract = typeof contract;

interface RedisNode {
  readonly realtime: RunnelServer<Contract, { readonly id: string }>;
  readonly http: MortalHttpServer;
  /** Between it and Redis. */
  readonly path: TcpProxy;
}

export class RedisNodes {
  readonly nodes: RedisNode[] = [];
  readonly redis: ServerProcess;
  readonly #clients: Client<Contract>[] = [];

  private constructor(redis: ServerProcess) {
    this.redis = redis;
  }

  static async start(count: number): Promise<RedisNodes> {
    const nodes = new RedisNodes(await startRedis());
    for (let n = 0; n < count; n += 1) await nodes.#add();
    return nodes;
  }

  async #add(): Promise<void> {
    const path = await TcpProxy.start(this.redis.port);
    const realtime: RedisNode['realtime'] = createServer<Contract, { readonly id: string }>({
      contract,
      broker: redisBroker({ url: `redis://127.0.0.1:${path.port}`, timeoutMs: 1_500, leaseMs: 1_500 }),
      authenticate: ({ auth }) => ({ id: String(auth) }),
      // The broker fails on purpose.
      onError: () => {},
    });
    realtime.handle('log', {
      open: true,
      publish: { number: ({ data, channel }) => channel.broadcast('number', data) },
      presence: ({ data }) => data,
    });
    realtime.handle('live', {
      open: true,
      publish: { number: ({ data, channel }) => channel.broadcast('number', data) },
    });
    const http = new MortalHttpServer();
    await http.listen((server) => realtime.attach(server));
    this.nodes.push({ realtime, http, path });
  }

  /** A client of one node. */
  client(id: string, node: number): Client<Contract> {
    const url = `http://127.0.0.1:${this.nodes[node]?.http.port}/realtime`;
    const client = createClient<Contract>(url, { auth: id, transports: ['websocket'] });
    this.#clients.push(client);
    return client;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.nodes.map(({ realtime }) => realtime.close({ timeoutMs: 0 })));
    await Promise.all(this.nodes.flatMap(({ http, path }) => [http.close(), path.close()]));
    await this.redis.stop();
  }
}
