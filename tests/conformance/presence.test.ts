import { describe, expect, it } from 'vitest';
import {
  Collector,
  condition,
  connect,
  failureOf,
  type Room,
  roomOf,
  startProxy,
  TestServer,
  TRANSPORT_CASES,
} from './harness.ts';

const TTL_MS = 60_000;

/** Who is present, and how, after each change: `ann good, bob tired (lost)`. */
function watch(room: Room): Collector<string> {
  const seen = new Collector<string>();
  room.presence.onChange((members) =>
    seen.push(
      members
        .map(({ id, data, connected }) => `${id} ${data.mood}${connected ? '' : ' (lost)'}`)
        .sort()
        .join(', '),
    ),
  );
  return seen;
}

describe.each(TRANSPORT_CASES)('over %s', (_over, transports) => {
  it('shows who is here, as the server vouches for them', async () => {
    const server = await TestServer.start();
    const [ann, bob] = [connect(server, { transports }), connect(server, { transports, user: 'bob' })];
    const seen = watch(roomOf(bob));
    await roomOf(bob).ready();
    await roomOf(ann).presence.enter({ mood: 'good' });
    await seen.find((all) => all === 'ann good');
    await roomOf(bob).presence.enter({ mood: 'tired' });
    await seen.find((all) => all === 'ann good, bob tired');
    await roomOf(ann).presence.enter({ mood: 'better' });
    await seen.find((all) => all === 'ann better, bob tired');
    expect(roomOf(bob).presence.members()).toContainEqual({
      id: 'ann',
      data: { mood: 'better', name: 'ANN' },
      connected: true,
    });
    const channel = server.realtime.channel('room/:roomId', { roomId: 'lobby' });
    expect(await channel.presence.members()).toHaveLength(2);
    expect(await channel.occupancy()).toEqual({ subscribers: 2, members: 2 });
  });

  it('tells who came, who changed and who left, and counts without listing', async () => {
    const server = await TestServer.start();
    const [ann, bob] = [connect(server, { transports }), connect(server, { transports, user: 'bob' })];
    const changes = new Collector<string>();
    const room = roomOf(bob);
    room.presence.onChange((_, { joined, updated, left }) => {
      for (const { id, data } of joined) changes.push(`+ ${id} ${data.mood}`);
      for (const { id, data } of updated) changes.push(`~ ${id} ${data.mood}`);
      for (const { id, data } of left) changes.push(`- ${id} ${data.mood}`);
    });
    await room.ready();
    const { presence } = roomOf(ann);
    expect(await failureOf(presence.update({ mood: 'early' }))).toBeInstanceOf(TypeError);
    await presence.enter({ mood: 'good' });
    await changes.count(1);
    await presence.update({ mood: 'better' });
    await changes.count(2);
    expect(await room.presence.occupancy()).toEqual({ members: 1, subscribers: 2 });
    await presence.leave();
    await changes.count(3);
    expect(changes.items).toEqual(['+ ann good', '~ ann better', '- ann better']);
    await condition('the counts follow', async () => (await room.presence.occupancy()).members === 0);
  });

  it('shows all of many who come and go at once', async () => {
    const server = await TestServer.start();
    const watcher = connect(server, { transports, user: 'watcher' });
    const room = roomOf(watcher);
    room.presence.onChange(() => {});
    await room.ready();
    const many = Array.from({ length: 40 }, (_, i) => connect(server, { transports: ['websocket'], user: `user${i}` }));
    await Promise.all(many.map((client) => roomOf(client).presence.enter({ mood: 'here' })));
    await condition('all of them are here', () => room.presence.members().length === 40);
    for (const client of many.slice(1)) client.close();
    await condition('all but one have left', () => room.presence.members().length === 1);
    expect(room.presence.members()[0]?.id).toBe('user0');
  });

  it('shows those who came before', async () => {
    const server = await TestServer.start();
    const [ann, bob] = [connect(server, { transports }), connect(server, { transports, user: 'bob' })];
    await roomOf(ann).presence.enter({ mood: 'good' });
    const room = roomOf(bob);
    await room.ready();
    expect(room.presence.members()).toEqual([{ id: 'ann', data: { mood: 'good', name: 'ANN' }, connected: true }]);
  });

  it('takes away who leaves, and who closes, at once', async () => {
    const server = await TestServer.start();
    const [ann, bob] = [connect(server, { transports }), connect(server, { transports, user: 'bob' })];
    const seen = watch(roomOf(bob));
    await roomOf(bob).ready();
    await roomOf(ann).presence.enter({ mood: 'good' });
    await seen.find((all) => all === 'ann good');
    await roomOf(ann).presence.leave();
    await seen.until((all) => all.at(-1) === '');
    await roomOf(ann).presence.enter({ mood: 'back' });
    await seen.find((all) => all === 'ann back');
    ann.close();
    await seen.until((all) => all.at(-1) === '');
  });

  it('shows a lost session as not connected, and takes it away when it has expired', async () => {
    const server = await TestServer.start({ limits: { ttlMs: TTL_MS } });
    const proxy = await startProxy(server);
    const ann = connect(proxy, { transports });
    const bob = connect(server, { transports: ['websocket'], user: 'bob' });
    const seen = watch(roomOf(bob));
    await roomOf(bob).ready();
    await roomOf(ann).presence.enter({ mood: 'good' });
    await seen.find((all) => all === 'ann good');
    const session = await server.sessions.find(({ user }) => user.id === 'ann');
    proxy.sever();
    await server.pass('ann is seen to be lost', () => seen.items.includes('ann good (lost)'));
    await server.expire(TTL_MS, session.client);
    await seen.until((all) => all.at(-1) === '');
    proxy.refusing = false;
    // Who has entered is present again in the next session, without being asked.
    await seen.until((all) => all.at(-1) === 'ann good');
  });

  it('shows a session that has its link again as connected', async () => {
    const server = await TestServer.start();
    const proxy = await startProxy(server);
    const ann = connect(proxy, { transports });
    const bob = connect(server, { transports: ['websocket'], user: 'bob' });
    const seen = watch(roomOf(bob));
    await roomOf(bob).ready();
    await roomOf(ann).presence.enter({ mood: 'good' });
    await seen.find((all) => all === 'ann good');
    proxy.sever();
    await server.pass('ann is seen to be lost', () => seen.items.includes('ann good (lost)'));
    proxy.refusing = false;
    await seen.until((all) => all.at(-1) === 'ann good');
    await roomOf(ann).request('wake');
    expect(seen.items.filter((all) => all === '')).toHaveLength(seen.items[0] === '' ? 1 : 0);
  });

  it('shows a user of several sessions once, until the last of them has left', async () => {
    const server = await TestServer.start();
    const clients = [connect(server, { transports }), connect(server, { transports })];
    const bob = connect(server, { transports, user: 'bob' });
    const seen = watch(roomOf(bob));
    await roomOf(bob).ready();
    for (const [at, client] of clients.entries()) await roomOf(client).presence.enter({ mood: `m${at}` });
    await seen.find((all) => all === 'ann m1');
    clients[1]?.close();
    await server.ended.count(1);
    expect(await server.realtime.channel('room/:roomId', { roomId: 'lobby' }).presence.members()).toHaveLength(1);
    clients[0]?.close();
    await seen.until((all) => all.at(-1) === '');
  });

  it('refuses data that does not satisfy the schema', async () => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    expect(await failureOf(room.presence.enter({ mood: 7 as never }))).toMatchObject({ code: 'validation_failed' });
    expect(await server.realtime.channel('room/:roomId', { roomId: 'lobby' }).presence.members()).toEqual([]);
  });
});
