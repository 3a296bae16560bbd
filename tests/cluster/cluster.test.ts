import { createClient } from '@runnel/client';
import { TRANSPORTS } from '@runnel/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Collector, gate } from '../support/collector.ts';
import { condition } from '../support/condition.ts';
import { FakeOrigin } from '../support/fake-origin.ts';
import { type Contract, type Node, Nodes } from './nodes.ts';

async function started(count = 3): Promise<Nodes> {
  const nodes = await Nodes.start(count);
  onTestFinished(() => nodes.stop());
  return nodes;
}

/** The node that has the only session of a user. */
async function sessionsAt({ nodes }: Nodes, user: string): Promise<Node | undefined> {
  for (const node of nodes) {
    const sessions = await node.realtime.user(user).sessions();
    if (sessions.some((session) => 'channels' in Object.getPrototypeOf(session))) return node;
  }
  return undefined;
}

/** The two nodes, that with the session of the user first. */
async function ownerFirst(nodes: Nodes, user: string): Promise<[Node, Node]> {
  const owner = await sessionsAt(nodes, user);
  return [...nodes.nodes].sort((a) => (a === owner ? -1 : 1)) as [Node, Node];
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe.each([...TRANSPORTS.map((transport) => [transport]), [...TRANSPORTS]])('over %s', (...transports) => {
  it('any node answers: numbers go both ways, each once, in order', async () => {
    const nodes = await started();
    const client = nodes.client('ann', { transports });
    const got = new Collector<number>();
    const log = client.channel('log/:id', { id: 'a' });
    log.on('number', got.push);
    await log.ready();
    for (const n of upTo(100)) void log.publish('number', n);
    await got.count(100);
    expect(got.items).toEqual(upTo(100));
    expect(nodes.handled).toEqual(upTo(100));
    expect(nodes.errors).toEqual([]);
    expect(client.diagnose().counts.attaches).toBeLessThanOrEqual(transports.length === 1 ? 1 : 3);
  });

  it('a session that lands elsewhere again and again loses nothing, with and without a log', async () => {
    const nodes = await started();
    const client = nodes.client('ann', { transports });
    const logged = new Collector<number>();
    const live = new Collector<number>();
    const log = client.channel('log/:id', { id: 'a' });
    log.on('number', logged.push);
    const other = client.channel('live');
    const gaps: unknown[] = [];
    other.onGap((gap) => gaps.push(gap));
    other.on('number', live.push);
    await Promise.all([log.ready(), other.ready()]);
    const publishes: Promise<unknown>[] = [];
    for (const n of upTo(120)) {
      const sender = nodes.nodes[n % 3]?.realtime;
      publishes.push(log.publish('number', n));
      await sender?.channel('live').broadcast('number', n);
      if (n % 30 === 20) nodes.balancer.cutAll();
      await live.count(Math.max(0, n - 15));
    }
    await Promise.all(publishes);
    await logged.count(120);
    await live.count(120);
    expect(logged.items).toEqual(upTo(120));
    expect(live.items).toEqual(upTo(120));
    expect(nodes.handled).toEqual(upTo(120));
    expect(gaps).toEqual([]);
    expect(client.diagnose().counts.resumes).toBeGreaterThan(0);
    expect(nodes.errors).toEqual([]);
  });
});

describe('a session that moves', () => {
  it('gets the answer of a handler that runs on at the node before', async () => {
    const nodes = await started();
    const client = nodes.client('ann', { transports: ['websocket'] });
    const log = client.channel('log/:id', { id: 'a' });
    const answer = log.request('slow', 7);
    await condition('the handler runs', () => nodes.slowAt.length === 1);
    const first = await sessionsAt(nodes, 'ann');
    nodes.balancer.cutAll();
    await condition('another node has it', async () => {
      const owner = await sessionsAt(nodes, 'ann');
      return owner !== undefined && owner !== first;
    });
    nodes.slow.open();
    expect(await answer).toBe(`${first?.name} 7`);
    expect(nodes.slowAt).toHaveLength(1);
  });

  it('misses nothing of a channel without a log that comes before its new node listens', async () => {
    const nodes = await started(2);
    const client = nodes.client('ann', { transports: ['websocket'] });
    const live = new Collector<number>();
    const gaps: unknown[] = [];
    const channel = client.channel('live');
    channel.on('number', live.push);
    channel.onGap((gap) => gaps.push(gap));
    await channel.ready();
    const [first, second] = await ownerFirst(nodes, 'ann');
    const listening = gate();
    nodes.broker.subscribing = listening.passed;
    nodes.balancer.cutAll();
    await condition('the other node has it', () => second.realtime.stats().sessions === 1);
    for (const n of upTo(5)) await first.realtime.channel('live').broadcast('number', n);
    listening.open();
    await live.count(5);
    await first.realtime.channel('live').broadcast('number', 5);
    await live.count(6);
    expect(live.items).toEqual(upTo(6));
    expect(gaps).toEqual([]);
  });

  it('brings what is for each of the tabs that share it, though its channels have other numbers there', async () => {
    const nodes = await started(2);
    const origin = new FakeOrigin();
    const openTab = (): {
      readonly log: Collector<number>;
      readonly live: Collector<number>;
      ready(): Promise<unknown>;
    } => {
      const { environment } = origin.openTab();
      const client = nodes.client('ann', { transports: ['websocket'], share: true, environment });
      const got = { log: new Collector<number>(), live: new Collector<number>() };
      const [log, live] = [client.channel('log/:id', { id: 'a' }), client.channel('live')];
      log.on('number', got.log.push);
      return {
        ...got,
        ready: () =>
          log
            .ready()
            .then(() => live.on('number', got.live.push))
            .then(() => live.ready()),
      };
    };
    const tabs = [openTab(), openTab()];
    for (const tab of tabs) await tab.ready();
    const [first, second] = await ownerFirst(nodes, 'ann');
    // There the first channel is the one that is the second here.
    const other = createClient<Contract>(`http://127.0.0.1:${second.http.port}/realtime`, { auth: 'bob' });
    onTestFinished(() => other.close());
    await other.channel('live').ready();
    nodes.balancer.cutAll();
    await condition('the other node has it', async () => (await sessionsAt(nodes, 'ann')) === second);
    await first.realtime.channel('log/:id', { id: 'a' }).broadcast('number', 1);
    await first.realtime.channel('live').broadcast('number', 2);
    for (const tab of tabs) {
      await tab.log.count(1);
      await tab.live.count(1);
      expect([tab.log.items, tab.live.items]).toEqual([[1], [2]]);
    }
  });

  it('has its publishes handled in order, also those that wait at the node before', async () => {
    const nodes = await started(2);
    const client = nodes.client('ann', { transports: ['websocket'] });
    const log = client.channel('log/:id', { id: 'a' });
    await log.ready();
    const [, second] = await ownerFirst(nodes, 'ann');
    nodes.publishing = gate();
    const publishes = [log.publish('number', 0), log.publish('number', 1)];
    await condition('the first is being handled', () => nodes.handled.length === 1);
    nodes.balancer.cutAll();
    await condition('the other node has it', () => second.realtime.stats().sessions === 1);
    publishes.push(log.publish('number', 2));
    await condition('it has come', () => second.realtime.stats().calls === 1);
    expect(nodes.handled).toEqual([0]);
    nodes.publishing.open();
    await Promise.all(publishes);
    expect(nodes.handled).toEqual([0, 1, 2]);
  });

  it('is a member by its old node until it is one by its new node', async () => {
    const nodes = await started(2);
    const client = nodes.client('ann', { transports: ['websocket'] });
    const log = client.channel('log/:id', { id: 'a' });
    await log.presence.enter({ name: 'Ann' });
    const [first, second] = await ownerFirst(nodes, 'ann');
    const byNodes = async (): Promise<string> =>
      (await nodes.broker.nodes.members('log/a'))
        .map(({ node }) => node)
        .sort()
        .join();
    const seen: string[] = [await byNodes()];
    nodes.broker.onMembers = () => void byNodes().then((by) => seen.push(by));
    nodes.balancer.cutAll();
    await condition('only the other node has it', async () => (await byNodes()) === second.name);
    expect(seen).toContain([first.name, second.name].sort().join());
    expect(seen).not.toContain('');
  });

  it('stays a member, and nobody sees it leave and come', async () => {
    const nodes = await started(2);
    const watcher = nodes.client('bob', { transports: ['poll'] });
    const changes: string[] = [];
    const watched = watcher.channel('log/:id', { id: 'a' });
    watched.presence.onChange((members, change) =>
      changes.push(
        `${[...members].map((member) => member.id)} +${change.joined.map(({ id }) => id)} -${change.left.map((id) => id)}`,
      ),
    );
    await watched.ready();
    const client = nodes.client('ann', { transports: ['websocket'] });
    const log = client.channel('log/:id', { id: 'a' });
    await log.presence.enter({ name: 'Ann' });
    await condition('bob sees ann', () => changes.some((change) => change.startsWith('ann')));
    const [, second] = await ownerFirst(nodes, 'ann');
    nodes.balancer.cutAll();
    await condition('the other node has it', () => second.realtime.stats().sessions === 1);
    await log.presence.update({ name: 'Annie' });
    await condition('bob sees that', async () =>
      (await watched.presence.members()).some(({ data }) => data.name === 'Annie'),
    );
    expect(changes.filter((change) => change.includes('-ann'))).toEqual([]);
  });
});

describe('across nodes', () => {
  it('members are seen, counted, and leave', async () => {
    const nodes = await started(3);
    const names = ['ann', 'bob', 'cid'];
    const rooms = names.map((name) =>
      nodes.client(name, { transports: ['websocket'] }).channel('log/:id', { id: 'a' }),
    );
    for (const [i, room] of rooms.entries()) {
      await room.ready();
      await room.presence.enter({ name: names[i] as string });
    }
    const seen = async (room: (typeof rooms)[0]): Promise<string[]> =>
      (await room.presence.members()).map(({ id }) => id).sort();
    for (const room of rooms) await condition('all see all', async () => (await seen(room)).join() === 'ann,bob,cid');
    for (const { realtime } of nodes.nodes) {
      const channel = realtime.channel('log/:id', { id: 'a' });
      expect((await channel.presence.members()).map(({ id }) => id).sort()).toEqual(names);
      expect(await channel.occupancy()).toEqual({ members: 3, subscribers: 3 });
    }
    await rooms[1]?.presence.leave();
    const [first] = rooms;
    if (first !== undefined) await condition('bob is gone', async () => (await seen(first)).join() === 'ann,cid');
  });

  it('a member goes with its node', async () => {
    const nodes = await started(2);
    const watcher = nodes.client('bob', { transports: ['websocket'] });
    const watched = watcher.channel('log/:id', { id: 'a' });
    await watched.ready();
    const client = nodes.client('ann', { transports: ['websocket'] });
    await client.channel('log/:id', { id: 'a' }).presence.enter({ name: 'Ann' });
    await condition('bob sees ann', async () => (await watched.presence.members()).length === 1);
    const owner = (await sessionsAt(nodes, 'ann')) as Node;
    const other = (await sessionsAt(nodes, 'bob')) as Node;
    expect(owner).not.toBe(other);
    client.close();
    await nodes.kill(owner);
    await condition('ann is gone', async () => (await watched.presence.members()).length === 0);
  });

  it('users are found, counted and kicked', async () => {
    const nodes = await started(3);
    const clients = upTo(3).map(() => nodes.client('ann', { transports: ['websocket'] }));
    for (const client of clients) await client.connect();
    for (const { realtime } of nodes.nodes) expect(await realtime.user('ann').sessions()).toHaveLength(3);
    expect(await nodes.nodes[0]?.realtime.user('ann').kick('enough')).toBe(3);
    for (const client of clients) {
      await condition('it is closed', () => client.state.status === 'closed');
      expect(client.state).toMatchObject({ code: 'kicked' });
    }
  });
});

describe('a node that', () => {
  it('dies leaves nothing missing where there is a log', async () => {
    const nodes = await started();
    const client = nodes.client('ann', { transports: ['websocket'] });
    const logged = new Collector<number>();
    const log = client.channel('log/:id', { id: 'a' });
    log.on('number', logged.push);
    await log.ready();
    const owner = await sessionsAt(nodes, 'ann');
    await nodes.nodes[0]?.realtime.channel('log/:id', { id: 'a' }).broadcast('number', 0);
    if (owner !== undefined) await nodes.kill(owner);
    for (const n of [1, 2, 3]) await nodes.nodes[0]?.realtime.channel('log/:id', { id: 'a' }).broadcast('number', n);
    await logged.count(4);
    expect(logged.items).toEqual(upTo(4));
  });

  it.each(TRANSPORTS)('is closed hands its sessions over (%s)', async (transport) => {
    const nodes = await started();
    const client = nodes.client('ann', { transports: [transport] });
    const live = new Collector<number>();
    const other = client.channel('live');
    const gaps: unknown[] = [];
    other.onGap((gap) => gaps.push(gap));
    other.on('number', live.push);
    await other.ready();
    const owner = await sessionsAt(nodes, 'ann');
    expect(owner).toBeDefined();
    const rest = nodes.nodes.filter((node) => node !== owner);
    const left = owner === undefined ? Promise.resolve() : nodes.leave(owner);
    for (const n of upTo(20)) await rest[0]?.realtime.channel('live').broadcast('number', n);
    await left;
    await live.count(20);
    expect(live.items).toEqual(upTo(20));
    expect(gaps).toEqual([]);
    expect(client.diagnose().counts.resumes).toBeGreaterThan(0);
  });
});
