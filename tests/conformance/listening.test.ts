import { describe, expect, it } from 'vitest';
import { Collector, condition, connect, failureOf, roomOf, TestServer, TRANSPORT_CASES, userNamed } from './harness.ts';

describe.each(TRANSPORT_CASES)('over %s', (_over, transports) => {
  it('iterates over the messages of a channel, from the call on', async () => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    const messages = room.messages();
    for (const text of ['a', 'b', 'c']) await room.publish('message', { text });
    await room.publish('note', 'd');
    const seen: unknown[] = [];
    for await (const { event, data, meta } of messages) {
      seen.push([event, data, meta.offset, meta.self]);
      if (event === 'note') break;
    }
    expect(seen).toEqual([
      ['message', { text: 'a' }, 1, true],
      ['message', { text: 'b' }, 2, true],
      ['message', { text: 'c' }, 3, true],
      ['note', 'd', 4, true],
    ]);
    await condition('nobody holds the subscription', () => server.realtime.stats().subscriptions === 0);
  });

  it('iterates over one event, and ends with its handle', async () => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    const notes = room.messages('note');
    await room.publish('message', { text: 'a' });
    await room.publish('note', 1);
    expect((await notes.next()).value?.data).toBe(1);
    const next = notes.next();
    room.close();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it('fails an iterator whose channel is forbidden', async () => {
    const server = await TestServer.start({ authenticate: () => userNamed('ann', ['subscribe']) });
    const messages = roomOf(connect(server, { transports })).messages();
    expect(await failureOf(messages.next())).toMatchObject({ code: 'forbidden' });
  });

  it('bounds what waits to be read', async () => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    const [strict, loose] = [room.messages({ bound: 3 }), room.messages({ bound: 3, overflow: 'drop-oldest' })];
    for (const text of ['a', 'b', 'c', 'd', 'e']) await room.publish('message', { text });
    const texts: unknown[] = [];
    for (let i = 0; i < 3; i += 1) texts.push((await loose.next()).value?.data);
    expect([texts, loose.dropped]).toEqual([[{ text: 'c' }, { text: 'd' }, { text: 'e' }], 2]);
    const read = async (): Promise<void> => {
      for await (const _ of strict);
    };
    expect(await failureOf(read())).toMatchObject({ code: 'slow_consumer' });
  });

  it('loses nothing for a handler that is added when the channel is ready', async () => {
    const server = await TestServer.start();
    const channel = server.realtime.channel('room/:roomId', { roomId: 'lobby' });
    for (const text of ['a', 'b', 'c']) await channel.broadcast('message', { text });
    const room = roomOf(connect(server, { transports }), 'lobby', { rewind: 10 });
    await room.ready();
    const texts = new Collector<string>();
    room.on('message', ({ text }) => texts.push(text));
    await channel.broadcast('message', { text: 'd' });
    await texts.count(4);
    expect(texts.items).toEqual(['a', 'b', 'c', 'd']);
  });

  it('tells observers what comes, and that it is over', async () => {
    const server = await TestServer.start();
    const client = connect(server, { transports });
    const room = roomOf(client);
    const seen = new Collector<unknown>();
    room
      .observe('message')
      .subscribe({ next: ({ data }) => seen.push(data.text), complete: () => seen.push('complete') });
    await room.ready();
    await room.publish('message', { text: 'a' });
    await seen.count(1);
    client.close();
    await seen.count(2);
    expect(seen.items).toEqual(['a', 'complete']);
  });

  it('reads the history page by page, backwards from the newest', async () => {
    const server = await TestServer.start();
    const channel = server.realtime.channel('room/:roomId', { roomId: 'lobby' });
    for (let n = 1; n <= 25; n += 1) await channel.broadcast('message', { text: `${n}` });
    const room = roomOf(connect(server, { transports }));
    const pages: number[][] = [];
    for await (const page of room.history({ limit: 10 })) pages.push(page.messages.map(({ meta }) => meta.offset ?? 0));
    expect(pages.map((page) => [page[0], page.at(-1)])).toEqual([
      [16, 25],
      [6, 15],
      [1, 5],
    ]);
    expect(server.realtime.stats().subscriptions).toBe(0);
    const { head } = await room.history({ limit: 1 });
    expect(head.offset).toBe(25);
    const since = await room.history({ since: { ...head, offset: 20 }, limit: 3 });
    expect(since.messages.map(({ meta }) => meta.offset)).toEqual([21, 22, 23]);
    expect((await since.next())?.messages.map(({ meta }) => meta.offset)).toEqual([24, 25]);
  });

  it('tells the app who comes to a channel and who leaves it, and why', async () => {
    const server = await TestServer.start();
    const [ann, bob] = [connect(server, { transports }), connect(server, { transports, user: 'bob' })];
    await roomOf(ann).ready();
    await server.visits.count(1);
    const room = roomOf(bob);
    await room.ready();
    await server.visits.count(2);
    room.close();
    await server.visits.find((visit) => visit.startsWith('bob <'));
    ann.close();
    await server.visits.find((visit) => visit.startsWith('ann <'));
    expect(server.visits.items).toEqual([
      'ann > room/lobby',
      'bob > room/lobby',
      'bob < room/lobby unsubscribed',
      'ann < room/lobby closed',
    ]);
  });

  it('says what there is, to a client that was built from another contract', async () => {
    const server = await TestServer.start();
    const errors = new Collector<unknown>();
    const client = connect(server, { transports, onError: errors.push });
    const room = roomOf(client) as unknown as {
      on(event: string, handler: () => void): void;
      request(method: string): Promise<unknown>;
    };
    room.on('mesage', () => {});
    await errors.count(1);
    expect(errors.items[0]).toMatchObject({
      code: 'unknown_event',
      message: expect.stringContaining('message, note, typing'),
    });
    expect(await failureOf(room.request('aks'))).toMatchObject({
      code: 'unknown_method',
      message: expect.stringContaining('ask, wake, count, look'),
    });
  });

  it('hands fresh credentials over when asked to', async () => {
    const server = await TestServer.start();
    let asked = 0;
    const client = connect(server, {
      transports,
      auth: () => {
        asked += 1;
        return { user: 'ann' };
      },
    });
    await client.connect();
    const before = asked;
    await client.reauthenticate();
    expect(asked).toBe(before + 1);
    expect(client.state.status).toBe('open');
  });
});
