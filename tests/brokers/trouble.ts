/** What may come between a broker and its server, and what has to come of it: nothing but errors that say so, and everything well afterwards. */
import type { Broker } from '@runnel/server';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Collector } from '../support/collector.ts';
import { condition } from '../support/condition.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { Junction } from './junction.ts';
import { NodeRecorder, nodesOf } from './node-conformance.ts';
import type { ServerProcess } from './programs/server-process.ts';
import { entryOf, Recorder } from './recorder.ts';

interface QuickOptions {
  readonly timeoutMs: number;
  readonly pendingMax?: number;
  /** Default: 600. */
  readonly leaseMs?: number;
}

export interface TroubledStore {
  readonly startServer: () => Promise<ServerProcess>;
  /** A broker that is quick to give up, with the server on that port. */
  readonly connect: (port: number, options: QuickOptions) => Broker;
  /** Whether messages outlive the death of the server. */
  readonly durable: boolean;
}

const TIMEOUT_MS = 1_000;
const history = { size: 100, ttlMs: 60_000 };
const failed = { code: 'broker_failed' };

/** `lost` and `restored`, as a broker tells of them. */
export function watched(broker: Broker): Collector<'lost' | 'restored'> {
  const told = new Collector<'lost' | 'restored'>();
  const stop = broker.watch?.({ lost: () => told.push('lost'), restored: () => told.push('restored') });
  onTestFinished(() => stop?.());
  return told;
}

/** Resolves when a publish is accepted, which is tried again as long as it is not. */
export async function publishAtLast(broker: Broker, data: number): Promise<void> {
  await condition('the broker accepts messages', async () => {
    try {
      await broker.publish('a', entryOf(data), { history, idempotencyKey: `at last ${data}` });
      return true;
    } catch (error) {
      expect(error).toMatchObject(failed);
      return false;
    }
  });
}

export function describeTrouble(name: string, { startServer, connect, durable }: TroubledStore): void {
  describe(`${name}, in trouble`, () => {
    let server: ServerProcess;
    let proxy: TcpProxy;
    beforeEach(async () => {
      server = await startServer();
      proxy = await TcpProxy.start(server.port);
      onTestFinished(async () => {
        await proxy.close();
        await server.stop();
      });
    });
    /** A broker with a bad path to the server, unless another port is named. */
    const open = (port = proxy.port, options: Partial<QuickOptions> = {}): Broker => {
      const broker = connect(port, { timeoutMs: TIMEOUT_MS, pendingMax: 1_000, ...options });
      onTestFinished(() => broker.close());
      return broker;
    };
    const publish = (broker: Broker, data: number) => broker.publish('a', entryOf(data), { history });

    it('fails while there is no server, and works when there is', async () => {
      await server.kill();
      const broker = open(server.port);
      await expect(publish(broker, 1)).rejects.toMatchObject(failed);
      await expect(broker.subscribe('a', new Recorder())).rejects.toMatchObject(failed);
      await expect(nodesOf(broker).join('n', new NodeRecorder())).rejects.toMatchObject(failed);
      await server.start();
      await publishAtLast(broker, 2);
    });

    it('goes on by itself when the server has died and is there again', async () => {
      const broker = open(server.port);
      const told = watched(broker);
      const heard = new Recorder();
      await broker.subscribe('a', heard);
      const before = await publish(broker, 1);
      await heard.messages.count(1);
      await server.kill();
      await told.find((one) => one === 'lost');
      await expect(publish(broker, 2)).rejects.toMatchObject(failed);
      await server.start();
      await told.find((one) => one === 'restored');
      await publishAtLast(broker, 3);
      await heard.messages.find(({ data }) => data === '3');
      const read = await broker.read('a', { history, since: before });
      if (durable) expect(read).toMatchObject({ epoch: before.epoch, complete: true });
      else {
        expect(read.complete).toBe(false);
        expect(read.epoch).not.toBe(before.epoch);
      }
      expect(read.entries.map(({ data }) => data)).toEqual(['3']);
      expect(told.items).toEqual(['lost', 'restored']);
    });

    it('fails at once while it is cut off, and misses nothing that the log has', async () => {
      const [cut, other] = [open(), open(server.port)];
      const told = watched(cut);
      const heard = new Recorder();
      await cut.subscribe('a', heard);
      const since = await publish(cut, 1);
      await heard.messages.count(1);
      proxy.sever();
      await told.find((one) => one === 'lost');
      const started = performance.now();
      await expect(publish(cut, 2)).rejects.toMatchObject(failed);
      await expect(cut.read('a', {})).rejects.toMatchObject(failed);
      expect(performance.now() - started).toBeLessThan(TIMEOUT_MS);
      const head = await publish(other, 3);
      proxy.refusing = false;
      await told.find((one) => one === 'restored');
      expect(await cut.heads(['a'])).toEqual(new Map([['a', head]]));
      const { entries, complete } = await cut.read('a', { history, since });
      expect([complete, entries.map(({ data }) => data)]).toEqual([true, ['3']]);
      await publish(other, 4);
      await heard.messages.find(({ data }) => data === '4');
    });

    it('does not try again and again without a pause', async () => {
      const broker = open();
      await publish(broker, 1);
      const before = proxy.accepted;
      const told = watched(broker);
      proxy.sever();
      await told.find((one) => one === 'lost');
      const began = performance.now();
      await condition('it has tried some times', () => proxy.accepted >= before + 4);
      // Two connections an attempt at most, and at least 25 ms before the first, and 50 before the second.
      expect(performance.now() - began).toBeGreaterThan(70);
    });

    it('gives a server up that does not answer, within its time, and keeps no more than its bounds', async () => {
      const broker = open(server.port, { pendingMax: 50 });
      const told = watched(broker);
      await publish(broker, 0);
      server.pause();
      const started = performance.now();
      const outcomes = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => publish(broker, i)));
      expect(performance.now() - started).toBeLessThan(TIMEOUT_MS * 3);
      const reasons = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : null));
      expect(reasons).toEqual(reasons.map(() => expect.objectContaining(failed)));
      expect(reasons.filter(({ message }) => /wait for the broker already/.test(message)).length).toBeGreaterThan(140);
      await told.find((one) => one === 'lost');
      server.resume();
      await publishAtLast(broker, 1);
      expect(told.items.at(-1)).toBe('restored');
    });

    it('finds a path that swallows everything while nobody calls', async () => {
      const broker = open();
      const told = watched(broker);
      const heard = new Recorder();
      await broker.subscribe('a', heard);
      proxy.blackhole = true;
      await told.find((one) => one === 'lost');
      proxy.blackhole = false;
      await told.find((one) => one === 'restored');
      await publish(open(server.port), 1);
      await heard.messages.count(1);
    });

    it('takes a slow path as it is', async () => {
      proxy.delayMs.up = 40;
      proxy.delayMs.down = 40;
      const broker = open(proxy.port, { timeoutMs: 5_000 });
      const heard = new Recorder();
      await broker.subscribe('a', heard);
      const numbers = Array.from({ length: 100 }, (_, i) => i);
      await Promise.all(numbers.map((i) => publish(broker, i)));
      await heard.messages.count(100);
      expect(heard.data).toEqual(numbers);
    });

    it('lets the members of a node that is cut off go with its lease, and come back with it', async () => {
      const [cut, other] = [open(), open(server.port)];
      const [lost, stays] = [new NodeRecorder(), new NodeRecorder()];
      const node = await nodesOf(cut).join('cut', lost);
      await nodesOf(other).join('stays', stays);
      await node.enter('room', 'ann', '1');
      await stays.sees('cut', 'stays');
      proxy.sever();
      await stays.sees('stays');
      expect(await nodesOf(other).members('room')).toEqual([]);
      expect(await nodesOf(other).occupancy('room')).toBe(0);
      await expect(node.enter('room', 'bob', '2')).rejects.toMatchObject(failed);
      await expect(node.leave('room', 'ann')).rejects.toMatchObject(failed);
      proxy.refusing = false;
      await stays.sees('cut', 'stays');
      await condition('its members are there again', async () => (await nodesOf(other).occupancy('room')) === 1);
      expect(await nodesOf(other).members('room')).toEqual([{ node: 'cut', member: 'bob', data: '2' }]);
      node.send('stays', 'hello');
      await stays.inbox.count(1);
    });

    it('makes up for what could not be entered or left, though the lease was held all the time', async () => {
      const [cut, other] = [open(proxy.port, { leaseMs: 3_000 }), open(server.port, { leaseMs: 3_000 })];
      const told = watched(cut);
      const node = await nodesOf(cut).join('cut', new NodeRecorder());
      await node.enter('room', 'ann', '1');
      proxy.sever();
      await told.find((one) => one === 'lost');
      await expect(node.enter('room', 'bob', '2')).rejects.toMatchObject(failed);
      await expect(node.leave('room', 'ann')).rejects.toMatchObject(failed);
      proxy.refusing = false;
      await condition('bob is in, and ann is not', async () => {
        const members = await nodesOf(other).members('room');
        return members.length === 1 && members[0]?.member === 'bob';
      });
    });

    it('enters members again into a server that has lost them', async () => {
      const broker = open(server.port);
      const heard = new NodeRecorder();
      const node = await nodesOf(broker).join('n', heard);
      for (let i = 0; i < 600; i += 1) await node.enter(`room${i % 7}`, `member${i}`, '1');
      await server.kill();
      await server.start();
      await condition('everybody is there again', async () => {
        try {
          let count = 0;
          for (let i = 0; i < 7; i += 1) count += await nodesOf(broker).occupancy(`room${i}`);
          return count === 600;
        } catch {
          return false;
        }
      });
    });
  });

  describe(`${name}, on the wire`, () => {
    it('brings a message once to a node with many listeners, and not at all to one without', async () => {
      const server = await startServer();
      const [many, none] = [await Junction.start(server.port), await Junction.start(server.port)];
      const brokers = [many, none].map(({ port }) => connect(port, { timeoutMs: 5_000 }));
      const [follower, stranger] = brokers as [Broker, Broker];
      onTestFinished(async () => {
        for (const broker of brokers) await broker.close();
        many.close();
        none.close();
        await server.stop();
      });
      const listeners = Array.from({ length: 100 }, () => new Recorder());
      for (const listener of listeners) await follower.subscribe('a', listener);
      await stranger.subscribe('b', new Recorder());
      await stranger.publish('a', { event: 'message', data: '"unmistakable"' }, { history });
      for (const listener of listeners) await listener.messages.count(1);
      await Recorder.settle(stranger, 'b');
      expect([many.count('unmistakable'), none.count('unmistakable')]).toEqual([1, 0]);
      for (const listener of listeners) follower.unsubscribe('a', listener);
      await Recorder.settle(follower, 'c');
      await stranger.publish('a', { event: 'message', data: '"unheard"' }, { history });
      await Recorder.settle(follower, 'c');
      expect(many.count('unheard')).toBe(0);
    });
  });
}
