import { redisBroker } from '@runnel/server/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { condition } from '../support/condition.ts';
import { redisCommand, startRedis } from './programs/redis-server.ts';
import { entryOf, Recorder } from './recorder.ts';
import { describeTrouble, publishAtLast, watched } from './trouble.ts';

const history = { size: 100, ttlMs: 60_000 };

describeTrouble('the Redis broker', {
  startServer: startRedis,
  connect: (port, options) => redisBroker({ url: `redis://127.0.0.1:${port}`, leaseMs: 600, ...options }),
  durable: false,
});

describe('the Redis broker, with a server that forgets', () => {
  const setUp = async () => {
    const server = await startRedis();
    const broker = redisBroker({ url: `redis://127.0.0.1:${server.port}`, timeoutMs: 2_000 });
    onTestFinished(async () => {
      await broker.close();
      await server.stop();
    });
    const publish = (data: number) => broker.publish('a', entryOf(data), { history });
    return { server, broker, publish };
  };

  it('begins another epoch after FLUSHALL', async () => {
    const { server, broker, publish } = await setUp();
    const heard = new Recorder();
    await broker.subscribe('a', heard);
    const before = await publish(1);
    await redisCommand(server, 'flushall');
    expect(await broker.heads(['a'])).toEqual(new Map());
    const after = await publish(2);
    expect(after.epoch).not.toBe(before.epoch);
    expect(await broker.read('a', { since: before })).toMatchObject({ complete: false, epoch: after.epoch });
    await heard.messages.count(2);
    expect(heard.epochs).toEqual([before.epoch, after.epoch]);
  });

  it('sends scripts again that the server has forgotten', async () => {
    const { server, publish } = await setUp();
    await publish(1);
    await redisCommand(server, 'script', 'flush');
    expect((await publish(2)).offset).toBe(2);
  });

  it('gives no offset twice in one epoch where a replica takes over that is behind', async () => {
    const { server, broker, publish } = await setUp();
    const replica = await startRedis('--replicaof', '127.0.0.1', String(server.port));
    onTestFinished(() => replica.stop());
    const told = watched(broker);
    const positions = [];
    for (let i = 1; i <= 3; i += 1) positions.push(await publish(i));
    await condition(
      'the replica has the third',
      async () => (await redisCommand(replica, 'hget', 'runnel:{a}:head', 'offset')) === '3',
    );
    await redisCommand(replica, 'replicaof', 'no', 'one');
    for (let i = 4; i <= 5; i += 1) positions.push(await publish(i));
    const [, , third, , fifth] = positions;

    // It comes up on the address of the first with what the replica had.
    await server.kill();
    await told.find((one) => one === 'lost');
    await server.start();
    await redisCommand(server, 'replicaof', '127.0.0.1', String(replica.port));
    await condition('it has followed the replica', async () =>
      (await redisCommand(server, 'info', 'replication')).includes('master_link_status:up'),
    );
    await redisCommand(server, 'replicaof', 'no', 'one');

    await publishAtLast(broker, 6);
    const read = await broker.read('a', { since: third });
    expect(read.epoch).not.toBe(third?.epoch);
    // Up to where the two parted nothing is missing.
    expect(read.complete).toBe(true);
    expect(read.entries).toMatchObject([{ offset: 4, prev: 3, data: '6' }]);
    expect((await broker.read('a', { since: fifth })).complete).toBe(false);
  });

  it('gives a server up that has become a replica', async () => {
    const { server, broker, publish } = await setUp();
    const told = watched(broker);
    await publish(1);
    await redisCommand(server, 'replicaof', '127.0.0.1', '1');
    await expect(publish(2)).rejects.toMatchObject({ code: 'broker_failed' });
    await told.find((one) => one === 'lost');
    await redisCommand(server, 'replicaof', 'no', 'one');
    await publishAtLast(broker, 3);
  });
});
