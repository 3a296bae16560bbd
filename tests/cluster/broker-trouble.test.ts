/** What clients of a cluster see when its broker is in trouble: typed errors, told gaps, and nothing missing that was not said to be. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { redisCommand, startRedis } from '../brokers/programs/redis-server.ts';
import { Collector } from '../support/collector.ts';
import { condition } from '../support/condition.ts';
import { RedisNodes } from './redis-nodes.ts';

async function started(): Promise<RedisNodes> {
  const nodes = await RedisNodes.start(2);
  onTestFinished(() => nodes.stop());
  return nodes;
}

type Told = number | 'gap';

/** A client of a node, and what it is told of a channel, in order. */
async function follower(nodes: RedisNodes, node: number, name: 'log' | 'live') {
  const client = nodes.client(`${name} ${node}`, node);
  const channel = client.channel(name);
  const told = new Collector<Told>();
  channel.on('number', (n) => told.push(n));
  channel.onGap(() => told.push('gap'));
  await channel.ready();
  return { client, channel, told };
}

/** Publishes until it is accepted. */
async function publishAtLast(publish: () => Promise<unknown>): Promise<void> {
  await condition('the broker accepts messages', async () => {
    try {
      await publish();
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'broker_failed', retryable: true });
      return false;
    }
  });
}

/** A broker that comes back with nothing of what was in it. */
const EMPTIED = [
  [
    'a replica takes over that has nothing',
    async (nodes: RedisNodes): Promise<void> => {
      // It has never reached its master.
      const replica = await startRedis('--replicaof', '127.0.0.1', '1');
      onTestFinished(() => replica.stop());
      await nodes.redis.kill();
      await redisCommand(replica, 'replicaof', 'no', 'one');
      for (const { path } of nodes.nodes) {
        path.targetPort = replica.port;
        path.cutAll();
      }
    },
  ],
  [
    'it restarts without what it had',
    async ({ redis }: RedisNodes): Promise<void> => {
      await redis.kill();
      await redis.start();
    },
  ],
] as const;

describe.each(EMPTIED)('when %s', (_, empty) => {
  it.each(['log', 'live'] as const)(
    'subscribers of %s are told of a gap, and all that comes after comes once, in order',
    async (name) => {
      const nodes = await started();
      const followers = [await follower(nodes, 0, name), await follower(nodes, 1, name)];
      for (const n of [1, 2, 3]) await followers[n % 2]?.channel.publish('number', n);
      for (const { told } of followers) await told.count(3);

      await nodes.redis.kill();
      await expect(followers[0]?.channel.publish('number', 0, { timeoutMs: 3_000 })).rejects.toMatchObject({
        code: 'broker_failed',
      });
      await empty(nodes);
      for (const n of [4, 5]) {
        const idempotencyKey = `at last ${n}`;
        await publishAtLast(
          () => followers[n % 2]?.channel.publish('number', n, { idempotencyKey }) ?? Promise.resolve(),
        );
      }
      // One that had not come back by then has them from the log, or is told that there is none.
      for (const { told } of followers) await told.until((items) => items.includes('gap'));
      for (const { channel } of followers) await channel.ready();
      await followers[0]?.channel.publish('number', 6);
      for (const { told } of followers) {
        await told.until((items) => items.includes(6));
        const gap = told.items.indexOf('gap');
        expect(told.items.slice(0, gap)).toEqual([1, 2, 3]);
        const after = told.items.slice(gap + 1).filter((item) => item !== 'gap');
        expect(after).toEqual([4, 5, 6].slice(-after.length));
      }
    },
  );

  it('members are entered again', async () => {
    const nodes = await started();
    const [ann, bob] = [await follower(nodes, 0, 'log'), await follower(nodes, 1, 'log')];
    await ann.channel.presence.enter({ name: 'ann' });
    await bob.channel.presence.enter({ name: 'bob' });
    const names = async (): Promise<string> => {
      const members = await Promise.all(
        nodes.nodes.map(({ realtime }) =>
          realtime
            .channel('log')
            .presence.members()
            .catch(() => []),
        ),
      );
      return JSON.stringify(members.map((list) => list.map(({ data }) => data.name).sort()));
    };
    const all = JSON.stringify([
      ['ann', 'bob'],
      ['ann', 'bob'],
    ]);
    await condition('both see both', async () => (await names()) === all);
    await empty(nodes);
    await condition(
      () => 'both see both again',
      async () => (await names()) === all,
    );
  });
});

describe('when one node is cut off from it', () => {
  it('those of the node have what they missed when it is back, and a publish made again there is in the log once', async () => {
    const nodes = await started();
    const [ann, bob] = [await follower(nodes, 0, 'log'), await follower(nodes, 1, 'log')];
    await ann.channel.publish('number', 1);
    nodes.nodes[0]?.path.sever();
    for (const n of [2, 3]) await bob.channel.publish('number', n);
    const again = () => ann.channel.publish('number', 4, { idempotencyKey: 'four' });
    await expect(again()).rejects.toMatchObject({ code: 'broker_failed' });
    if (nodes.nodes[0] !== undefined) nodes.nodes[0].path.refusing = false;
    await publishAtLast(again);
    await again();
    await bob.channel.publish('number', 5);
    for (const { told } of [ann, bob]) {
      await told.count(5);
      expect(told.items).toEqual([1, 2, 3, 4, 5]);
    }
  });

  it('a publish that it had accepted, and whose answer was lost, is in the log once when it is made again', async () => {
    const nodes = await started();
    const [ann, bob] = [await follower(nodes, 0, 'log'), await follower(nodes, 1, 'log')];
    const path = nodes.nodes[0]?.path;
    if (path === undefined) throw new Error('There is no node.');
    // It gets there; what comes back does not.
    path.stalled.down = true;
    const again = () => ann.channel.publish('number', 1, { idempotencyKey: 'one' });
    const lost = expect(again()).rejects.toMatchObject({ code: 'broker_failed' });
    await bob.told.count(1);
    path.stalled.down = false;
    path.cutAll();
    await lost;
    await publishAtLast(again);
    await bob.channel.publish('number', 2);
    for (const { told } of [ann, bob]) {
      await told.count(2);
      expect(told.items).toEqual([1, 2]);
    }
  });
});

it('when it is slow all comes, in order, and nothing fails', async () => {
  const nodes = await started();
  const followers = [await follower(nodes, 0, 'log'), await follower(nodes, 1, 'live')];
  const [log, live] = followers;
  for (const { path } of nodes.nodes) path.delayMs.up = path.delayMs.down = 50;
  const numbers = Array.from({ length: 10 }, (_, n) => n);
  await Promise.all(numbers.flatMap((n) => [log?.channel.publish('number', n), live?.channel.publish('number', n)]));
  for (const { told } of followers) {
    await told.count(10);
    expect(told.items).toEqual(numbers);
  }
});
