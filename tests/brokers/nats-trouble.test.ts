import { natsBroker } from '@runnel/server/nats';
import { describe, expect, it, onTestFinished } from 'vitest';
import { jetStreamCall, startNats } from './programs/nats-server.ts';
import { entryOf, Recorder } from './recorder.ts';
import { describeTrouble } from './trouble.ts';

const history = { size: 100, ttlMs: 60_000 };
const STREAM = 'runnel_log_100-60000';

describeTrouble('the NATS broker', {
  startServer: startNats,
  connect: (port, options) => natsBroker({ servers: `nats://127.0.0.1:${port}`, leaseMs: 600, ...options }),
  durable: true,
});

describe('the NATS broker, with a server that forgets', () => {
  const setUp = async () => {
    const server = await startNats();
    const broker = natsBroker({ servers: `nats://127.0.0.1:${server.port}` });
    onTestFinished(async () => {
      await broker.close();
      await server.stop();
    });
    const publish = (channel: string, data: number) => broker.publish(channel, entryOf(data), { history });
    return { server, broker, publish };
  };

  it('says so where messages are gone of which nothing is left', async () => {
    const { server, broker, publish } = await setUp();
    const first = await publish('a', 1);
    const second = await publish('a', 2);
    await jetStreamCall(server, `STREAM.PURGE.${STREAM}`, { filter: 'runnel.log.100-60000.a' });
    await publish('b', 3);
    expect(await broker.read('a', { since: first })).toMatchObject({ complete: false, entries: [] });
    // Everything that came after it is there, and none of it is the channel's.
    expect(await broker.read('a', { since: second })).toMatchObject({ complete: true, entries: [] });
    await jetStreamCall(server, `STREAM.PURGE.${STREAM}`);
    expect(await broker.read('a', { since: second })).toMatchObject({ complete: false, entries: [] });
  });

  it('begins another epoch where a stream was deleted', async () => {
    const { server, broker, publish } = await setUp();
    const heard = new Recorder();
    await broker.subscribe('a', heard);
    const before = await publish('a', 1);
    await jetStreamCall(server, `STREAM.DELETE.${STREAM}`);
    const after = await publish('a', 2);
    expect(after.epoch).not.toBe(before.epoch);
    expect(await broker.read('a', { since: before })).toMatchObject({ complete: false, epoch: after.epoch });
    await heard.messages.count(2);
    expect(heard.epochs).toEqual([before.epoch, after.epoch]);
  });

  it('refuses what is larger than the server takes', async () => {
    const { broker } = await setUp();
    const entry = { event: 'message', data: JSON.stringify('x'.repeat(1_048_576)) };
    await expect(broker.publish('a', entry, { history })).rejects.toMatchObject({ code: 'payload_too_large' });
    await expect(broker.publish('a', entryOf(1), { history })).resolves.toMatchObject({ offset: 1 });
  });
});
