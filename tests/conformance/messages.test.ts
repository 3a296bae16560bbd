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
  settled,
  TestServer,
  TRANSPORT_CASES,
  textsOf,
} from './harness.ts';

const BYTES = Uint8Array.from({ length: 256 }, (_, byte) => byte);

/** The limit on one message's JSON. */
const MESSAGE_BYTES = 1_048_576;

/** What a channel's name can be made of. */
function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}

describe.each(TRANSPORT_CASES)('over %s', (_over, transports) => {
  it('brings messages in the order of their publishes, to the publisher as its own', async () => {
    const server = await TestServer.start();
    const [ann, bob] = [connect(server, { transports }), connect(server, { transports, user: 'bob' })];
    const [own, others] = [roomOf(ann), roomOf(bob)].map((room) =>
      collect<{ text: string }>((push) => room.on('message', push)),
    );
    await Promise.all([roomOf(ann).ready(), roomOf(bob).ready()]);
    for (const text of ['a', 'b', 'c']) void roomOf(ann).publish('message', { text });
    await own?.count(3);
    await others?.count(3);
    const by = ann.diagnose().client;
    expect(own?.items.map(({ data, self, by, offset }) => [data.text, self, by, offset])).toEqual([
      ['a', true, by, 1],
      ['b', true, by, 2],
      ['c', true, by, 3],
    ]);
    expect(others?.items.map(({ data, self, by }) => [data.text, self, by])).toEqual([
      ['a', false, by],
      ['b', false, by],
      ['c', false, by],
    ]);
    expect(new Set(own?.items.map(({ id }) => id)).size).toBe(3);
  });

  it('brings what the server itself broadcasts, from nobody', async () => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    const messages = collect<{ text: string }>((push) => room.on('message', push));
    await room.ready();
    const position = await server.realtime
      .channel('room/:roomId', { roomId: 'lobby' })
      .broadcast('message', { text: 'hello' });
    const [message] = await messages.count(1);
    expect(message).toMatchObject({ data: { text: 'hello' }, self: false, by: null, recovered: false });
    expect(position?.offset).toBe(message?.offset);
    expect(room.position).toEqual(position);
  });

  it('answers a publish after its handler has returned', async () => {
    const server = await TestServer.start();
    const [begun, end] = [gate(), gate()];
    let returned = false;
    server.onMessage = async () => {
      begun.open();
      await end.passed;
      returned = true;
    };
    const room = roomOf(connect(server, { transports }));
    const answered = room.publish('message', { text: 'a' }).then(() => returned);
    await begun.passed;
    expect(await room.request('ask', 'still there?')).toBe('still there?');
    end.open();
    expect(await answered).toBe(true);
  });

  it('handles publishes of one session to one channel one after another, and those to others meanwhile', async () => {
    const server = await TestServer.start();
    const steps = new Collector<string>();
    const first = gate();
    server.onMessage = async ({ data: { text }, params: { roomId } }) => {
      steps.push(`${roomId} ${text} begins`);
      if (text === 'slow') await first.passed;
      steps.push(`${roomId} ${text} ends`);
    };
    const client = connect(server, { transports });
    const slow = roomOf(client, 'a').publish('message', { text: 'slow' });
    const next = roomOf(client, 'a').publish('message', { text: 'next' });
    await roomOf(client, 'b').publish('message', { text: 'other' });
    first.open();
    await Promise.all([slow, next]);
    expect(steps.items).toEqual([
      'a slow begins',
      'b other begins',
      'b other ends',
      'a slow ends',
      'a next begins',
      'a next ends',
    ]);
  });

  it('relays what the contract relays, without a handler', async () => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    const notes = collect<unknown>((push) => room.on('note', push));
    await room.ready();
    await room.publish('note', { any: ['thing', null, 1.5] });
    expect(await notes.count(1)).toMatchObject([{ data: { any: ['thing', null, 1.5] }, self: true }]);
  });

  it('brings volatile messages to others and not to their sender', async () => {
    const server = await TestServer.start();
    const [ann, bob] = [connect(server, { transports }), connect(server, { transports, user: 'bob' })];
    const [own, others] = [ann, bob].map((client) => {
      const events = new Collector<string>();
      roomOf(client).on('typing', ({ name }, { by, offset }) => events.push(`${name} types, ${by} ${offset}`));
      roomOf(client).on('message', ({ text }) => events.push(text));
      return events;
    });
    await Promise.all([roomOf(ann).ready(), roomOf(bob).ready()]);
    await Promise.all([settled(ann, transports), settled(bob, transports)]);
    roomOf(ann).send('typing', { name: 'Ann' });
    await others?.count(1);
    await roomOf(ann).publish('message', { text: 'done' });
    await Promise.all([own?.count(1), others?.count(2)]);
    expect(own?.items).toEqual(['done']);
    expect(others?.items).toEqual([`Ann types, ${ann.diagnose().client} null`, 'done']);
  });

  it('hands volatile publishes to their handler', async () => {
    const server = await TestServer.start();
    const client = connect(server, { transports });
    await roomOf(client).ready();
    await settled(client, transports);
    roomOf(client).send('nudge', 'hey');
    expect(await server.nudges.count(1)).toEqual(['hey']);
  });

  it.each([
    ['all byte values', BYTES],
    ['no bytes', new Uint8Array()],
    ['bytes in bytes’ company', { list: [BYTES, { deep: { er: BYTES.subarray(3, 7) } }], text: 'x' }],
    ['objects that look like bytes', [{ $b: 'AAAA' }, { $$b: 1 }, { $b: BYTES }, { $b: 'no base64', more: 1 }]],
    ['keys that objects are born with', JSON.parse('{"__proto__": {"constructor": 1}, "toString": null}')],
  ])('carries %s unaltered, both ways', async (_what, payload) => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    const notes = collect<unknown>((push) => room.on('note', push));
    await room.ready();
    await room.publish('note', payload);
    const [note] = await notes.count(1);
    expect(note?.data).toEqual(payload);
    expect(await room.request('ask', payload)).toEqual(payload);
  });

  it.each([
    ['beyond the basic plane', '👩‍👩‍👧‍👦 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𓀀'],
    ['halves of pairs', '\ud83d \udc69 a\ud83d'],
    ['line separators of every kind', 'a\u2028b\u2029c\nd\re\r\nf\u0085g\v\f'],
    ['right to left', 'שלום עליכם — مرحبا \u202e back \u202c'],
    ['control characters', '\u0000\u0001\u001f\u007f\ufeff\uffff'],
    ['combining and normal forms', 'é e\u0301 ﬁ Å Å'],
  ])('carries text %s unaltered, both ways', async (_what, text) => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }), isWellFormed(text) ? text : 'lobby');
    const notes = collect<unknown>((push) => room.on('note', push));
    await room.ready();
    await room.publish('note', { [text]: text });
    const [note] = await notes.count(1);
    expect(note?.data).toEqual({ [text]: text });
    expect(await room.request('ask', text)).toBe(text);
  });

  it('carries a payload of exactly the limit, both ways, and refuses one byte more', async () => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    const notes = collect<unknown>((push) => room.on('note', push));
    await room.ready();
    // With its quotes the JSON is as long as the limit; the last character has three bytes.
    const largest = `${'x'.repeat(MESSAGE_BYTES - 5)}€`;
    await room.publish('note', largest);
    const [note] = await notes.count(1);
    expect(note?.data === largest).toBe(true);
    expect((await room.request('ask', largest)) === largest).toBe(true);
    const tooLarge = `${largest}x`;
    expect(await failureOf(room.publish('note', tooLarge))).toMatchObject({ code: 'payload_too_large' });
    expect(await failureOf(room.request('ask', tooLarge))).toMatchObject({ code: 'payload_too_large' });
    const tooLargeDown = server.realtime.channel('room/:roomId', { roomId: 'lobby' }).broadcast('note', tooLarge);
    expect(await failureOf(tooLargeDown)).toMatchObject({ code: 'payload_too_large' });
    expect(await room.request('ask', 'still there?')).toBe('still there?');
    expect(notes.items).toHaveLength(1);
  });

  it('serves a hundred channels over one session', async () => {
    const server = await TestServer.start();
    const client = connect(server, { transports });
    const got = new Collector<string>();
    const rooms = Array.from({ length: 100 }, (_, at) => roomOf(client, `room ${at}`));
    for (const [at, room] of rooms.entries()) room.on('message', ({ text }) => got.push(`${at}: ${text}`));
    await Promise.all(rooms.map((room) => room.ready()));
    expect(server.realtime.stats()).toMatchObject({ sessions: 1, channels: 100, subscriptions: 100 });
    await Promise.all(rooms.map((room, at) => room.publish('message', { text: `for ${at}` })));
    await got.count(100);
    expect(new Set(got.items)).toEqual(new Set(rooms.map((_, at) => `${at}: for ${at}`)));
  });

  it('brings a burst of a thousand messages up and down, each once and in order', async () => {
    const server = await TestServer.start();
    const [up, down] = [new OrderedLog(), new OrderedLog()];
    server.onTick = ({ data }) => up.add(data);
    const live = connect(server, { transports }).channel('live/:id', { id: 'x' });
    live.on('tick', down.add);
    await live.ready();
    const channel = server.realtime.channel('live/:id', { id: 'x' });
    const answers: Promise<void>[] = [];
    for (let n = 0; n < 1_000; n += 1) {
      answers.push(live.publish('tick', n));
      void channel.broadcast('tick', n);
    }
    await Promise.all([...answers, up.reach(1_000), down.reach(1_000)]);
    expect(up.disorder(1_000)).toEqual(IN_ORDER);
    expect(down.disorder(1_000)).toEqual(IN_ORDER);
  });

  it('gives every handler of a channel its messages, once where it asks for one, and none after it has left', async () => {
    const server = await TestServer.start();
    const client = connect(server, { transports });
    const [one, other] = [roomOf(client), roomOf(client)];
    const got = new Collector<string>();
    one.on('message', ({ text }) => got.push(`one ${text}`));
    one.once('message', ({ text }) => got.push(`once ${text}`));
    const off = other.on('message', ({ text }) => got.push(`other ${text}`));
    await one.ready();
    await one.publish('message', { text: 'a' });
    await got.count(3);
    off();
    await one.publish('message', { text: 'b' });
    await got.count(4);
    one.close();
    await one.publish('message', { text: 'c' });
    const again = textsOf(one);
    await one.ready();
    await one.publish('message', { text: 'd' });
    await again.count(1);
    expect(again.items).toEqual(['d']);
    expect(got.items).toEqual(['one a', 'once a', 'other a', 'one b']);
  });
});
