/** What every broker has to do for the nodes that share it. */
import type { Broker, BrokerNode, BrokerNodes, NodeListener } from '@runnel/server';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Collector } from '../support/collector.ts';
import type { BrokerUnderTest } from './conformance.ts';
import { Recorder } from './recorder.ts';

/** Keeps what a node hears of the others. */
export class NodeRecorder implements NodeListener {
  readonly inbox = new Collector<readonly [from: string, text: string]>();
  readonly rounds = new Collector<readonly string[]>();

  message(text: string, from: string): void {
    this.inbox.push([from, text]);
  }

  nodes(nodes: readonly string[]): void {
    this.rounds.push(nodes);
  }

  /** Resolves when these are alive, as far as the node knows. */
  async sees(...names: readonly string[]): Promise<void> {
    await this.rounds.until((rounds) => JSON.stringify(rounds.at(-1)) === JSON.stringify(names));
  }
}

export const nodesOf = (broker: Broker): BrokerNodes => {
  if (broker.nodes === undefined) throw new Error('The broker is for one node.');
  return broker.nodes;
};

export function describeNodes(name: string, create: () => BrokerUnderTest | Promise<BrokerUnderTest>): void {
  describe(`${name}, as what nodes share`, () => {
    let brokers: readonly [Broker, Broker];
    beforeEach(async () => {
      const { broker, other } = await create();
      brokers = [broker, other];
      onTestFinished(async () => {
        await broker.close();
        await other.close();
      });
    });

    const join = async (which: 0 | 1, node: string): Promise<BrokerNode & { readonly heard: NodeRecorder }> => {
      const heard = new NodeRecorder();
      const joined = await nodesOf(brokers[which]).join(node, heard);
      return {
        name: joined.name,
        heard,
        send: (...args) => joined.send(...args),
        enter: (...args) => joined.enter(...args),
        leave: (...args) => joined.leave(...args),
        close: () => joined.close(),
      };
    };

    it('tells each node who is alive', async () => {
      const b = await join(1, 'b');
      await b.heard.sees('b');
      const a = await join(0, 'a.1 é');
      await a.heard.sees('a.1 é', 'b');
      await b.heard.sees('a.1 é', 'b');
      expect(await nodesOf(brokers[0]).list()).toEqual(['a.1 é', 'b']);
      await a.close();
      await b.heard.sees('b');
    });

    it('brings messages to a node in the order of sending, and to no other', async () => {
      const [a, b, c] = [await join(0, 'a'), await join(1, 'b'), await join(1, 'c')];
      for (let i = 0; i < 50; i += 1) a.send('b', `{"n":${i},\n"é":1}`);
      await b.heard.inbox.count(50);
      expect(b.heard.inbox.items).toEqual(Array.from({ length: 50 }, (_, i) => ['a', `{"n":${i},\n"é":1}`]));
      b.send('c', 'last');
      await c.heard.inbox.count(1);
      expect(c.heard.inbox.items).toEqual([['b', 'last']]);
      expect(a.heard.inbox.items).toEqual([]);
    });

    it('brings a node its own messages', async () => {
      const a = await join(0, 'a');
      a.send('a', 'note');
      await a.heard.inbox.count(1);
    });

    it('takes messages up to a size, and says so of larger ones', async () => {
      const [a, b] = [await join(0, 'a'), await join(1, 'b')];
      a.send('b', 'x'.repeat(524_288));
      await b.heard.inbox.count(1);
      expect(() => a.send('b', 'x'.repeat(524_289))).toThrow(RangeError);
    });

    it('says nothing where nobody is', async () => {
      const a = await join(0, 'a');
      a.send('nobody', 'x');
      expect(a.heard.inbox.items).toEqual([]);
    });

    it('knows who is in a channel by way of which node', async () => {
      const [a, b] = [await join(0, 'a'), await join(1, 'b')];
      await a.enter('room', 'ann', '{"n":1}');
      await b.enter('room', 'ann', '{"n":2}');
      await b.enter('room', 'bob\n.', '3');
      await b.enter('other', 'cem', '4');
      const members = await nodesOf(brokers[0]).members('room');
      expect([...members].sort((x, y) => (x.data < y.data ? 1 : -1))).toEqual([
        { node: 'b', member: 'ann', data: '{"n":2}' },
        { node: 'a', member: 'ann', data: '{"n":1}' },
        { node: 'b', member: 'bob\n.', data: '3' },
      ]);
      expect(await nodesOf(brokers[1]).occupancy('room')).toBe(2);
      expect(await nodesOf(brokers[1]).occupancy('empty')).toBe(0);
    });

    it('lets them agree upon what one of them has proposed first', async () => {
      const agreed = await Promise.all(brokers.map((broker, i) => nodesOf(broker).agree('a name\n.', `proposal ${i}`)));
      expect(new Set(agreed).size).toBe(1);
      expect(agreed[0]).toMatch(/^proposal \d$/);
      expect(await nodesOf(brokers[1]).agree('a name\n.', 'later')).toBe(agreed[0]);
      expect(await nodesOf(brokers[1]).agree('another', 'later')).toBe('later');
    });

    it('changes and forgets members', async () => {
      const a = await join(0, 'a');
      await a.enter('room', 'ann', '1');
      await a.enter('room', 'ann', '2');
      await a.leave('room', 'nobody');
      expect(await nodesOf(brokers[1]).members('room')).toEqual([{ node: 'a', member: 'ann', data: '2' }]);
      await a.leave('room', 'ann');
      expect(await nodesOf(brokers[1]).members('room')).toEqual([]);
      expect(await nodesOf(brokers[1]).occupancy('room')).toBe(0);
    });

    it('announces who comes, changes and leaves to those who listen to the channel', async () => {
      const heard = new Recorder();
      await brokers[1].subscribe('room', heard);
      const a = await join(0, 'a');
      await a.enter('room', 'ann', '1');
      await a.enter('room', 'ann', '2');
      await a.enter('other', 'ann', '3');
      await a.leave('room', 'ann');
      await heard.announcements.count(3);
      const ann = { node: 'a', member: 'ann' };
      expect(heard.announcements.items).toEqual([
        { ...ann, data: '1' },
        { ...ann, data: '2' },
        { ...ann, data: null },
      ]);
    });

    it('forgets the members of a node that gives its lease back', async () => {
      const [a, b] = [await join(0, 'a'), await join(1, 'b')];
      await a.enter('room', 'ann', '1');
      await b.enter('room', 'bob', '2');
      await a.close();
      await b.heard.sees('b');
      expect(await nodesOf(brokers[1]).members('room')).toEqual([{ node: 'b', member: 'bob', data: '2' }]);
      expect(await nodesOf(brokers[1]).occupancy('room')).toBe(1);
    });

    it('fails with broker_failed once it is closed', async () => {
      await brokers[0].close();
      const failed = { code: 'broker_failed' };
      await expect(nodesOf(brokers[0]).join('a', new NodeRecorder())).rejects.toMatchObject(failed);
      await expect(nodesOf(brokers[0]).list()).rejects.toMatchObject(failed);
      await expect(nodesOf(brokers[0]).members('room')).rejects.toMatchObject(failed);
    });
  });
}
