import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Broker } from '@runnel/server';
import { BadNetwork } from './bad-network.ts';
import { FlowRuns } from './flow-runs.ts';
import { LinkCutter } from './link-cutter.ts';
import { createRealtime } from './realtime.ts';
import { createSite } from './site.ts';

export interface DemoOptions {
  /** 0 lets the system choose one. */
  readonly port: number;
  /** Default: loopback only. */
  readonly host?: string;
  /** Shared with other nodes. Default: in memory, for this one. */
  readonly broker?: Broker;
}

export interface Demo {
  readonly url: string;
  readonly port: number;
  /** Lets clients know, and ends when all connections have. */
  close(): Promise<void>;
}

/**
 * Starts the demo. What it knows beside the broker is in memory: a new start knows nothing of the last one, and one node nothing of the names and
 * runs of the flow test at another.
 */
export async function startDemo({ port, host = '127.0.0.1', broker }: DemoOptions): Promise<Demo> {
  const cutter = new LinkCutter();
  const flows = new FlowRuns();
  const realtime = createRealtime(flows, broker);
  const network = new BadNetwork();
  // Hears only what the network lets pass.
  const site = createServer(createSite(cutter, network));
  realtime.attach(site);
  const server = createServer({ IncomingMessage: cutter.Request }, (request, response) => {
    if (!network.takeRequest(request, response)) site.emit('request', request, response);
  });
  // Longer than heartbeats are apart: clients over streams answer each by a POST.
  server.keepAliveTimeout = 65_000;
  server.on('upgrade', (request, socket, head) => {
    const passage = network.takeUpgrade(request, socket);
    if (passage !== null) site.emit('upgrade', request, passage, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${actual}`,
    port: actual,
    close: async () => {
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      flows.stopAll();
      network.close();
      await realtime.close();
      // A browser keeps connections open that never carried a request: those do not count as idle.
      server.closeAllConnections();
      await ended;
    },
  };
}
