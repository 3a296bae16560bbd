/** Nodes in one process that share a broker, and a balancer before them. */

import { type Client, type ClientOptions, createClient } from '@runnel/client';
import { channel, defineContract, relay, volatile } from '@runnel/protocol';
import { createServer, type RunnelServer } from '@runnel/server';
import { z } from 'zod';
import { type Gate, gate } from '../support/collector.ts';
import { MortalHttpServer } from '../support/mortal-http-server.ts';
import { RoundRobin } from './round-robin.ts';
import { SharedBroker } from './shared-broker.ts';

const contract = defineContract({
  'log/:id': channel({
    events: { number: z.number() },
    publish: { number: z.number() },
    requests: { slow: { input: z.number(), output: z.string() } },
    presence: z.object({ name: z.string() }),
    history: { size: 10_000, ttl: '1h' },
  }),
  live: channel({ events: { number: z.number(), blink: volatile(z.number()) }, publish: { number: relay } }),
});
export type Contract = typeof contract;

interface User {
  readonly id: string;
}

export interface Node {
  readonly name: string;
  readonly realtime: RunnelServer<Contract, User>;
  readonly http: MortalHttpServer;
}

export class Nodes {
  readonly nodes: Node[] = [];
  /** What `slow` requests wait for, and where they run. */
  slow: Gate = gate();
  readonly slowAt: string[] = [];
  /** What handlers of publishes wait for. */
  publishing: Gate = gate();
  /** Numbers of clients that handlers were given. */
  readonly handled: number[] = [];
  readonly errors: unknown[] = [];
  readonly broker: SharedBroker = new SharedBroker();
  readonly #clients: Client<Contract>[] = [];
  balancer!: RoundRobin;

  static async start(count: number): Promise<Nodes> {
    const nodes = new Nodes();
    nodes.publishing.open();
    for (let n = 0; n < count; n += 1) await nodes.add(`node-${n}`);
    nodes.balancer = await RoundRobin.start(() => nodes.nodes.map(({ http }) => http.port));
    return nodes;
  }

  async add(name: string): Promise<Node> {
    const realtime = createServer<Contract, User>({
      contract,
      node: name,
      broker: this.broker.forNode(),
      authenticate: ({ auth }) => ({ id: String(auth) }),
      onError: (error) => void this.errors.push(error),
    });
    realtime.handle('log/:id', {
      open: true,
      publish: {
        number: async ({ data, channel }) => {
          this.handled.push(data);
          await this.publishing.passed;
          await channel.broadcast('number', data);
        },
      },
      requests: {
        slow: async ({ data }) => {
          this.slowAt.push(name);
          await this.slow.passed;
          return `${name} ${data}`;
        },
      },
      presence: ({ data }) => data,
    });
    realtime.handle('live', { open: true });
    const http = new MortalHttpServer();
    await http.listen((server) => realtime.attach(server));
    const node: Node = { name, realtime, http };
    this.nodes.push(node);
    return node;
  }

  client(id: string, options: ClientOptions = {}): Client<Contract> {
    const client = createClient<Contract>(`http://127.0.0.1:${this.balancer.port}/realtime`, { auth: id, ...options });
    this.#clients.push(client);
    return client;
  }

  /** Without a word. */
  async kill(node: Node): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.broker.drop(node.name);
    await node.http.crash();
    await node.realtime.close({ timeoutMs: 0 });
  }

  async leave(node: Node): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await node.realtime.close();
    await node.http.close();
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    await Promise.all(this.nodes.map(({ realtime }) => realtime.close({ timeoutMs: 0 })));
    await this.balancer.stop();
    await Promise.all(this.nodes.map(({ http }) => http.close()));
  }
}
