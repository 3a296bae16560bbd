import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Identity } from '@runnel/protocol';
import { onTestFinished } from 'vitest';
import { Gateway, type GatewayOptions } from '../../src/gateway.ts';
import { FakeApp } from './fake-app.ts';
import { FakeClock } from './fake-clock.ts';

export interface TestServer {
  readonly gateway: Gateway<Identity>;
  readonly app: FakeApp;
  readonly clock: FakeClock;
  readonly server: Server;
  readonly port: number;
  /** Where the gateway is. */
  readonly url: string;
  /** What the gateway reported. */
  readonly errors: unknown[];
  /** Resolves when so many requests that may be held have been taken since the server began. */
  readonly taken: (count: number) => Promise<void>;
  /** Resolves when a client has left a request next. */
  readonly left: () => Promise<void>;
}

/** A gateway on a real server on loopback, gone with the test. */
export async function serve(
  options: Partial<GatewayOptions<Identity>> = {},
  server: Server = createServer((_request, response) => response.writeHead(404).end('elsewhere')),
): Promise<TestServer> {
  const app = new FakeApp();
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const gateway = new Gateway<Identity>({
    app,
    clock,
    node: 'n1',
    authenticate: ({ auth }) => (auth === 'nobody' ? null : { id: typeof auth === 'string' ? auth : 'anna' }),
    onError: (error) => errors.push(error),
    ...options,
  });
  gateway.attach(server);
  const port = await listen(server);
  onTestFinished(() => gateway.close({ timeoutMs: 0 }));
  const url = `http://127.0.0.1:${port}${gateway.path}`;
  return { gateway, app, clock, server, port, url, errors, ...watch(gateway) };
}

function watch({ registry }: Gateway<Identity>): Pick<TestServer, 'taken' | 'left'> {
  const events = new EventEmitter();
  let taken = 0;
  const take = () => {
    taken += 1;
    events.emit('taken');
  };
  const { attach, poll, handleAnswerClosed } = registry;
  registry.attach = (...args) => {
    attach.apply(registry, args);
    if (args[0].hold !== 0) take();
  };
  registry.poll = (...args) => {
    poll.apply(registry, args);
    take();
  };
  registry.handleAnswerClosed = (...args) => {
    handleAnswerClosed.apply(registry, args);
    events.emit('left');
  };
  return {
    async taken(count) {
      while (taken < count) await once(events, 'taken');
    },
    async left() {
      await once(events, 'left');
    },
  };
}

/** A gateway that is not attached to anything yet. */
export function newGateway(): Gateway<Identity> {
  const gateway = new Gateway({ app: new FakeApp(), authenticate: () => ({ id: 'anna' }) });
  onTestFinished(() => gateway.close({ timeoutMs: 0 }));
  return gateway;
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
