import { redisBroker } from '@runnel/server/redis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { condition } from '../support/condition.ts';
import { type BrokerUnderTest, describeBroker } from './conformance.ts';
import { describeNodes } from './node-conformance.ts';
import { type RedisCluster, startRedisCluster } from './programs/redis-server.ts';
import { entryOf, Recorder } from './recorder.ts';

let cluster: RedisCluster;
let prefixes = 0;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

const create = (): BrokerUnderTest => {
  const options = { url: cluster.urls, prefix: `test${++prefixes}`, leaseMs: 600 };
  return { broker: redisBroker(options), other: redisBroker(options) };
};

describeBroker('the Redis broker on a cluster', create);
describeNodes('the Redis broker on a cluster', create);

it('goes on with the other shards of a cluster when one is gone, and with all when it is back', async () => {
  const broker = redisBroker({ url: cluster.urls, prefix: `test${++prefixes}`, timeoutMs: 1_000 });
  onTestFinished(() => broker.close());
  const told: string[] = [];
  broker.watch?.({ lost: () => told.push('lost'), restored: () => told.push('restored') });
  // So many that each shard has some.
  const channels = Array.from({ length: 24 }, (_, i) => `channel${i}`);
  const heard = new Recorder();
  for (const channel of channels) await broker.subscribe(channel, heard);
  const publish = (channel: string, data: number) =>
    broker.publish(channel, entryOf(data), { history: { size: 5, ttlMs: 60_000 } });
  for (const channel of channels) await publish(channel, 1);
  await heard.messages.count(24);

  const [gone] = cluster.servers;
  await gone?.kill();
  const outcomes = await Promise.allSettled(channels.map((channel) => publish(channel, 2)));
  const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'accepted'));
  expect(new Set(codes)).toEqual(new Set(['accepted', 'broker_failed']));

  await gone?.start();
  const accepted = new Set<string>();
  await condition('every shard takes messages', async () => {
    const rest = channels.filter((channel) => !accepted.has(channel));
    await Promise.all(
      rest.map((channel) =>
        publish(channel, 3)
          .then(() => accepted.add(channel))
          .catch(() => {}),
      ),
    );
    return accepted.size === channels.length;
  });
  await condition('somebody hears of the channels of every shard', async () => {
    const before = heard.entries.length;
    for (const channel of channels) await publish(channel, 4);
    await Recorder.settle(broker, channels[0] as string);
    return heard.entries.length >= before + channels.length;
  });
  expect(told).toContain('restored');
});
