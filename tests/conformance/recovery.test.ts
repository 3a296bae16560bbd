import type { Transport } from '@runnel/client';
import { describe, expect, it } from 'vitest';
import {
  Collector,
  collect,
  connect,
  failureOf,
  gate,
  IN_ORDER,
  OrderedLog,
  roomOf,
  startProxy,
  statesOf,
  type TcpProxy,
  type TestClient,
  TestServer,
  TRANSPORT_CASES,
  textsOf,
} from './harness.ts';

/** How long sessions outlive their links here. */
const TTL_MS = 3_000;

interface World {
  readonly server: TestServer;
  readonly proxy: TcpProxy;
  readonly client: TestClient;
}

/** A client behind a proxy, so that the network between them can be taken away. */
async function world(transports: readonly Transport[]): Promise<World> {
  const server = await TestServer.start({ limits: { ttlMs: TTL_MS } });
  const proxy = await startProxy(server);
  return { server, proxy, client: connect(proxy, { transports }) };
}

/** The client's session ends for want of a link; what `meanwhile` does it misses. Resolves before it is back. */
async function loseSession({ server, proxy }: World, meanwhile: () => Promise<unknown>): Promise<void> {
  const { client } = await server.firstSession();
  proxy.sever();
  await server.expire(TTL_MS, client);
  await meanwhile();
  proxy.refusing = false;
}

describe.each(TRANSPORT_CASES)('over %s', (_over, transports) => {
  it('brings the latest messages of the history to who asks to rewind, before new ones', async () => {
    const server = await TestServer.start();
    const channel = server.realtime.channel('room/:roomId', { roomId: 'lobby' });
    for (const text of ['a', 'b', 'c', 'd']) await channel.broadcast('message', { text });
    const room = roomOf(connect(server, { transports }), 'lobby', { rewind: 3 });
    const messages = collect<{ text: string }>((push) => room.on('message', push));
    await room.ready();
    await channel.broadcast('message', { text: 'e' });
    await messages.count(4);
    expect(messages.items.map(({ data, offset }) => [offset, data.text])).toEqual([
      [2, 'b'],
      [3, 'c'],
      [4, 'd'],
      [5, 'e'],
    ]);
  });

  it('goes on from a position that the app has kept', async () => {
    const server = await TestServer.start();
    const channel = server.realtime.channel('room/:roomId', { roomId: 'lobby' });
    const since = await channel.broadcast('message', { text: 'a' });
    for (const text of ['b', 'c']) await channel.broadcast('message', { text });
    const client = connect(server, { transports });
    const room = client.channel('room/:roomId', { roomId: 'lobby' }, since === null ? {} : { since });
    const texts = textsOf(room);
    await texts.count(2);
    expect(texts.items).toEqual(['b', 'c']);
    expect(room.state).toEqual({ status: 'subscribed', recovered: true });
  });

  it('misses nothing through lost links, and repeats nothing', async () => {
    const { server, proxy, client } = await world(transports);
    const [up, down] = [new OrderedLog(), new OrderedLog()];
    server.onTick = ({ data }) => up.add(data);
    const live = client.channel('live/:id', { id: 'x' });
    live.on('tick', down.add);
    await live.ready();
    const channel = server.realtime.channel('live/:id', { id: 'x' });
    let cut = 0;
    const answers: Promise<void>[] = [];
    const send = (n: number): void => {
      answers.push(live.publish('tick', n));
      void channel.broadcast('tick', n);
    };
    for (let n = 0; n < 60; n += 1) {
      send(n);
      if (n % 20 !== 10) continue;
      cut += proxy.connections.size;
      proxy.cutAll();
      // A link that is back has brought everything up to here.
      await Promise.all([up.reach(n + 1), down.reach(n + 1)]);
    }
    await Promise.all([...answers, up.reach(60), down.reach(60)]);
    expect(up.disorder(60)).toEqual(IN_ORDER);
    expect(down.disorder(60)).toEqual(IN_ORDER);
    expect(server.ended.items).toEqual([]);
    expect(cut).toBeGreaterThanOrEqual(3);
  });

  it('says when a connection is lost and back, and that the session was resumed', async () => {
    const { server, proxy, client } = await world(transports);
    await client.connect();
    const states = statesOf(client);
    proxy.sever();
    await states.find(({ status }) => status === 'reconnecting');
    proxy.refusing = false;
    const back = await states.until((all) => all.at(-1)?.status === 'open');
    expect(back.at(-1)).toMatchObject({ status: 'open', resumed: true });
    expect(server.realtime.stats().sessions).toBe(1);
  });

  it('recovers from the history what was missed while a session was lost, each once and in order', async () => {
    const here = await world(transports);
    const room = roomOf(here.client);
    const messages = collect<{ text: string }>((push) => room.on('message', push));
    const gaps = new Collector<unknown>();
    room.onGap(gaps.push);
    await room.ready();
    const states = statesOf(room);
    const channel = here.server.realtime.channel('room/:roomId', { roomId: 'lobby' });
    await channel.broadcast('message', { text: 'before' });
    await messages.count(1);
    await loseSession(here, async () => {
      for (const text of ['a', 'b', 'c']) await channel.broadcast('message', { text });
    });
    await messages.count(4);
    await channel.broadcast('message', { text: 'after' });
    await messages.count(5);
    expect(messages.items.map(({ data }) => data.text)).toEqual(['before', 'a', 'b', 'c', 'after']);
    expect(states.last).toEqual({ status: 'subscribed', recovered: true });
    expect(gaps.items).toEqual([]);
    expect(here.server.ended.items).toMatchObject([{ code: 'session_lost' }]);
  });

  it('marks what was missed as recovered, and nothing else', async () => {
    const here = await world(transports);
    const room = roomOf(here.client);
    const messages = collect<{ text: string }>((push) => room.on('message', push));
    await room.ready();
    const channel = here.server.realtime.channel('room/:roomId', { roomId: 'lobby' });
    await channel.broadcast('message', { text: 'before' });
    await messages.count(1);
    await loseSession(here, () => channel.broadcast('message', { text: 'missed' }));
    await messages.count(2);
    await channel.broadcast('message', { text: 'after' });
    await messages.count(3);
    expect(messages.items.map(({ data, recovered }) => [data.text, recovered])).toEqual([
      ['before', false],
      ['missed', true],
      ['after', false],
    ]);
  });

  it('says recovered: false where the history reaches back no further, and brings what it has', async () => {
    const here = await world(transports);
    const short = here.client.channel('short/:id', { id: 'x' });
    const ticks = collect<number>((push) => short.on('tick', push));
    const gaps = new Collector<unknown>();
    short.onGap(gaps.push);
    await short.ready();
    const states = statesOf(short);
    const channel = here.server.realtime.channel('short/:id', { id: 'x' });
    await channel.broadcast('tick', 0);
    await ticks.count(1);
    await loseSession(here, async () => {
      for (const tick of [1, 2, 3, 4, 5]) await channel.broadcast('tick', tick);
    });
    await ticks.count(4);
    await channel.broadcast('tick', 6);
    await ticks.count(5);
    expect(ticks.items.map(({ data }) => data)).toEqual([0, 3, 4, 5, 6]);
    expect(states.last).toEqual({ status: 'subscribed', recovered: false });
    expect(gaps.items).toEqual([{ reason: 'positionLost' }]);
  });

  it('says recovered: false to a channel without history after a message was missed, and true where none was', async () => {
    const here = await world(transports);
    const [missing, quiet] = ['missing', 'quiet'].map((id) => here.client.channel('live/:id', { id }));
    const ticks = collect<number>((push) => missing?.on('tick', push));
    const gaps = new Collector<unknown>();
    missing?.onGap(gaps.push);
    await Promise.all([missing?.ready(), quiet?.ready()]);
    const channel = here.server.realtime.channel('live/:id', { id: 'missing' });
    await channel.broadcast('tick', 0);
    await ticks.count(1);
    await loseSession(here, () => channel.broadcast('tick', 1));
    await gaps.count(1);
    await channel.broadcast('tick', 2);
    await ticks.count(2);
    expect(ticks.items.map(({ data }) => data)).toEqual([0, 2]);
    expect(missing?.state).toEqual({ status: 'subscribed', recovered: false });
    expect(gaps.items).toEqual([{ reason: 'positionLost' }]);
  });

  it('opens a new session in place of one that has expired', async () => {
    const here = await world(transports);
    const room = roomOf(here.client);
    await room.ready();
    const before = here.client.diagnose().client;
    const states = statesOf(here.client);
    await loseSession(here, async () => {});
    await states.until((all) => all.at(-1)?.status === 'open' && all.length > 1);
    expect(await room.request('ask', 'hello again')).toBe('hello again');
    expect(here.client.diagnose().client).not.toBe(before);
    expect(here.client.state).toMatchObject({ status: 'open', resumed: false });
    expect(here.server.realtime.stats().sessions).toBe(1);
  });

  it('sends publishes again that were under way when the session was lost, and runs each once', async () => {
    const here = await world(transports);
    const { server, client } = here;
    const begun = new Collector<string>();
    const end = gate();
    server.onMessage = async ({ channel, data }) => {
      begun.push(data.text);
      await end.passed;
      await channel.broadcast('message', data);
    };
    const room = roomOf(client);
    const messages = collect<{ text: string }>((push) => room.on('message', push));
    await room.ready();
    const answers = Promise.all(['a', 'b'].map((text) => room.publish('message', { text })));
    await begun.count(1);
    await loseSession(here, async () => end.open());
    await answers;
    await messages.count(2);
    expect(begun.items).toEqual(['a', 'b']);
    expect(messages.items.map(({ data, self }) => [data.text, self])).toEqual([
      ['a', true],
      ['b', true],
    ]);
  });

  it('rejects requests that were under way when the session was lost as indeterminate', async () => {
    const here = await world(transports);
    const [begun, aborted] = [gate(), gate()];
    here.server.onAsk = ({ signal }) => {
      begun.open();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted.open();
          reject(signal.reason);
        });
      });
    };
    const answer = failureOf(roomOf(here.client).request('ask', 'a'));
    await begun.passed;
    await loseSession(here, () => aborted.passed);
    expect(await answer).toMatchObject({ code: 'indeterminate', retryable: true });
  });

  it('comes back to a server that has crashed and started again, and settles each publish once', async () => {
    const server = await TestServer.start({ leavesSessions: true });
    const client = connect(server, { transports });
    const room = roomOf(client);
    const messages = collect<{ text: string }>((push) => room.on('message', push));
    await room.ready();
    const [begun, never] = [gate(), gate()];
    server.onMessage = async () => {
      begun.open();
      await never.passed;
    };
    const settled = new Collector<string>();
    const publish = (text: string): void => {
      room.publish('message', { text }).then(
        () => settled.push(`${text} done`),
        ({ code }: { code: string }) => settled.push(`${text} ${code}`),
      );
    };
    for (const text of ['a', 'b']) publish(text);
    await begun.passed;
    await server.crash();
    server.onMessage = ({ channel, data }) => void channel.broadcast('message', data);
    await server.restart();
    publish('c');
    await settled.count(3);
    await messages.count(3);
    expect(settled.items).toEqual(['a done', 'b done', 'c done']);
    expect(messages.items.map(({ data }) => data.text)).toEqual(['a', 'b', 'c']);
    expect(room.state).toEqual({ status: 'subscribed', recovered: true });
    never.open();
  });

  it('comes back to a server that has said goodbye and started again', async () => {
    const server = await TestServer.start();
    const client = connect(server, { transports });
    const room = roomOf(client);
    const texts = textsOf(room);
    await room.ready();
    const states = statesOf(client);
    await server.firstSession();
    await server.stop({ retryMs: 10 });
    await states.find(({ status }) => status === 'reconnecting');
    await server.restart();
    await room.publish('message', { text: 'back' });
    await texts.count(1);
    expect(texts.items).toEqual(['back']);
    expect(server.ended.items).toMatchObject([{ code: 'server_closing' }]);
  });
});
