import type { Broker } from '@runnel/server';
import { natsBroker } from '@runnel/server/nats';
import { redisBroker } from '@runnel/server/redis';
import { expect, it, onTestFinished } from 'vitest';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { NodeRecorder, nodesOf } from './node-conformance.ts';
import { startNats } from './programs/nats-server.ts';
import { startRedis } from './programs/redis-server.ts';

/** A third of it, after which a node that does not listen is looked at again, is less than a test waits; all of it is more. */
const leaseMs = 6_000;

it.each([
  ['Redis', startRedis, (port: number): Broker => redisBroker({ url: `redis://127.0.0.1:${port}`, leaseMs })],
  ['NATS', startNats, (port: number): Broker => natsBroker({ servers: `nats://127.0.0.1:${port}`, leaseMs })],
] as const)(
  'on %s, a node that nobody hears of counts as dead before its lease runs out',
  async (_, start, connect) => {
    const server = await start();
    const proxy = await TcpProxy.start(server.port);
    const [here, there] = [connect(server.port), connect(proxy.port)];
    onTestFinished(async () => {
      await Promise.all([here.close(), there.close()]);
      await proxy.close();
      await server.stop();
    });
    const heard = new NodeRecorder();
    const a = await nodesOf(here).join('a', heard);
    const b = await nodesOf(there).join('b', new NodeRecorder());
    // At once, not with its next beat.
    await heard.sees('a', 'b');
    await b.enter('room', 'bob', '1');

    proxy.sever();
    const nag = setInterval(() => a.send('b', 'are you there?'), 20);
    await heard.sees('a');
    expect(await nodesOf(here).list()).toEqual(['a']);
    expect(await nodesOf(here).members('room')).toEqual([]);
    clearInterval(nag);

    // It was only cut off.
    proxy.refusing = false;
    await heard.sees('a', 'b');
    expect(await nodesOf(here).members('room')).toMatchObject([{ node: 'b', member: 'bob' }]);
  },
);
