/** Whatever comes in, it is answered as documented, and nobody else is disturbed. */
import { CODES, type Transport } from '@runnel/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { condition, connect, roomOf, TestServer, textsOf } from './harness.ts';
import { type Frame, linesOf, newCid, openSession, PolledSession, post, SocketSession } from './wire.ts';

const TRANSPORTS: readonly Transport[] = ['websocket', 'stream', 'poll'];
const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];

interface World {
  readonly server: TestServer;
  /** Says that somebody else's session works as before. */
  readonly undisturbed: () => Promise<void>;
}

async function world(): Promise<World> {
  // A probe that is opened by chance is not waited for.
  const server = await TestServer.start({ leavesSessions: true, limits: { probeMs: 50 } });
  const bystander = connect(server, { user: 'bystander', transports: ['websocket'] });
  const room = roomOf(bystander, 'quiet');
  const texts = textsOf(room);
  await room.ready();
  await server.firstSession();
  let n = 0;
  return {
    server,
    undisturbed: async () => {
      n += 1;
      await room.publish('message', { text: `still here ${n}` });
      await texts.count(n);
      expect(texts.items).toHaveLength(n);
      expect(bystander.diagnose().counts.resumes).toBe(0);
      expect(server.errors.items).toEqual([]);
      expect(server.ended.items.filter(({ user }) => user.id === 'bystander')).toEqual([]);
      expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    },
  };
}

const ask = (id: number, data: unknown): Frame => [18, id, 'room/lobby', 'ask', data];

describe.each(TRANSPORTS)('over %s', (transport) => {
  it.each([
    ['no JSON', 'nonsense', 'protocol_error'],
    ['half a frame', '[18,1,"room/lobby"', 'protocol_error'],
    ['an object', '{"0":18}', 'protocol_error'],
    ['an empty list', '[]', 'protocol_error'],
    ['a type that is text', '["18",1,"room/lobby","ask",null]', 'protocol_error'],
    ['a type that is half', '[18.5,1]', 'protocol_error'],
    ['a type below zero', '[-1]', 'protocol_error'],
    ['an unknown counted frame', '[77,1,2,3]', 'protocol_error'],
    ['a counted frame of the other direction', '[16,0,1,0,{}]', 'protocol_error'],
    ['a reserved frame', '[27,1,"part"]', 'protocol_error'],
    ['a request without its data', '[18,1,"room/lobby","ask"]', 'protocol_error'],
    ['a request with an id of zero', '[18,0,"room/lobby","ask",null]', 'protocol_error'],
    ['a request with an id of its own kind', '[18,1e400,"room/lobby","ask",null]', 'protocol_error'],
    ['a time-out that is text', '[18,1,"room/lobby","ask",null,"soon"]', 'protocol_error'],
    ['a publish without key', '[22,1,"room/lobby","message",{"text":"a"}]', 'protocol_error'],
    ['a key with a line break', '[22,1,"room/lobby","message",{"text":"a"},"a\\nb"]', 'protocol_error'],
    ['a key that is too long', `[22,1,"room/lobby","message",{"text":"a"},"${'k'.repeat(65)}"]`, 'protocol_error'],
    ['a position that is none', '[28,1,"room/lobby",{"since":{"epoch":1,"offset":-1}}]', 'protocol_error'],
    ['bytes that are no base64', '[18,1,"room/lobby","ask",{"$b":"A"}]', 'protocol_error'],
    ['bytes with company', '[18,1,"room/lobby","ask",{"$b":"AAAA","more":1}]', 'protocol_error'],
    ['a nest of lists', `[18,1,"room/lobby","ask",${'['.repeat(300)}${']'.repeat(300)}]`, 'protocol_error'],
    ['an acknowledgement of what was never sent', '[3,1000]', 'protocol_error'],
    ['a fragment that is empty', '[30,1,""]', 'protocol_error'],
    ['a frame between fragments', '[30,1,"[18,1"]\n[29,"room/lobby"]', 'protocol_error'],
    ['fragments of a control frame', '[30,0,"[3,0]"]', 'protocol_error'],
    ['fragments of a fragment', '[30,0,"[30,0,\\"x\\"]"]', 'protocol_error'],
    ['fragments of nonsense', '[30,0,"nonsense"]', 'protocol_error'],
    ['the id of a call under way', '[18,1,"room/lobby","ask","wait"]\n[18,1,"room/lobby","ask",2]', 'protocol_error'],
    ['a line that is too long', `[18,1,"room/lobby","ask","${'x'.repeat(65_536)}"]`, 'frame_too_large'],
  ])('ends a session that sends %s, and no other', async (_what, lines, code) => {
    const { server, undisturbed } = await world();
    // Where a handler is reached at all, its answer takes its time.
    server.onAsk = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const session = await openSession(server, transport);
    await session.up(lines);
    const goaway = await session.down.find(([type]) => type === 4);
    expect(goaway[1]).toBe(code);
    const ended = await server.ended.find(({ user }) => user.id === 'mallory');
    expect(ended.code).toBe(code);
    if (session instanceof SocketSession) {
      expect((await session.closed).code).toBe(CODES[code as keyof typeof CODES].close);
    }
    await undisturbed();
  });

  it.each([
    ['an unknown control frame', '[15,"x"]'],
    ['elements that nobody knows', '[1,5,0,"more",{}]'],
    ['empty lines', '\n\n\n'],
    ['a volatile message to nowhere', '[9,"nowhere","x",1]'],
    ['a volatile message of nothing', '[9,"room/lobby","__proto__",1]'],
    ['a volatile message that is not valid', '[9,"room/lobby","nudge",7]'],
    ['a volatile message that is not volatile', '[9,"room/lobby","message",{"text":"a"}]'],
    ['a farewell to what it never joined', '[29,"room/lobby"]'],
    ['an end of what never began', '[21,99]'],
  ])('goes on after %s', async (_what, lines) => {
    const { server, undisturbed } = await world();
    const session = await openSession(server, transport);
    await session.up(lines);
    await session.up(JSON.stringify(ask(7, 'still there?')));
    const answer = await session.down.find(([type]) => type === 19);
    expect(answer).toEqual([19, 7, 'still there?']);
    expect(session.down.items.filter(([type]) => type === 4)).toEqual([]);
    await undisturbed();
    session.end();
  });

  it.each([
    ['channel', (name: string): Frame => [18, 1, name, 'ask', null], 'unknown_channel'],
    ['channel to publish to', (name: string): Frame => [22, 1, name, 'message', {}, 'k'], 'unknown_channel'],
    ['channel to subscribe to', (name: string): Frame => [28, 1, name, {}], 'unknown_channel'],
    ['event', (name: string): Frame => [22, 1, 'room/lobby', name, {}, 'k'], 'unknown_event'],
    ['method', (name: string): Frame => [18, 1, 'room/lobby', name, null], 'unknown_method'],
    ['built-in method', (name: string): Frame => [18, 1, 'room/lobby', `$${name}`, null], 'unknown_method'],
  ])('takes the names of objects for no %s', async (_what, frameOf, code) => {
    const { server, undisturbed } = await world();
    const session = await openSession(server, transport);
    for (const [at, name] of NAMES.entries()) {
      const [type, , ...rest] = frameOf(name);
      await session.up(JSON.stringify([type, at + 1, ...rest]));
      const answer = await session.down.find(([kind, id]) => kind === 20 && id === at + 1);
      expect(answer[2]).toBe(code);
    }
    await undisturbed();
    session.end();
  });

  it('takes the names of objects as fields of payloads for data', async () => {
    const { server, undisturbed } = await world();
    const session = await openSession(server, transport);
    const data = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    await session.up(`[18,1,"room/lobby","ask",${data}]`);
    const answer = await session.down.find(([type]) => type === 19);
    expect(JSON.stringify(answer[2])).toBe(data);
    await undisturbed();
    session.end();
  });

  it('takes any lines at all: it ends that session as documented, or goes on', async () => {
    const { server, undisturbed } = await world();
    const value = fc.oneof(
      fc.constantFrom(
        0,
        1,
        -1,
        1.5,
        2 ** 53,
        null,
        true,
        '',
        'room/lobby',
        'ask',
        'message',
        '$enter',
        '__proto__',
        {},
        [],
      ),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const frame = fc
      .tuple(fc.integer({ min: 0, max: 40 }), fc.array(value, { maxLength: 6 }))
      .map(([type, rest]) => JSON.stringify([type, ...rest]));
    const line = fc.oneof({ weight: 4, arbitrary: frame }, { weight: 1, arbitrary: fc.string({ maxLength: 40 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 6 }), async (lines) => {
        const session = await openSession(server, transport);
        await session.up(lines.join('\n'));
        await session.up(JSON.stringify(ask(999_999, 'still there?')));
        const isOver = ([type, id]: Frame): boolean =>
          type === 4 || type === 8 || type === 14 || ((type === 19 || type === 20) && id === 999_999);
        const last = await session.down.find(isOver);
        if (last[0] === 4) expect(['protocol_error', 'frame_too_large', 'closed', 'forbidden']).toContain(last[1]);
        session.end();
      }),
      { numRuns: 40 },
    );
    await undisturbed();
  });
});

describe('over HTTP', () => {
  it('answers any bytes with a documented status and code', async () => {
    const { server, undisturbed } = await world();
    const header = fc
      .tuple(fc.integer({ min: 0, max: 16 }), fc.jsonValue({ maxDepth: 2 }))
      .map((frame) => Buffer.from(linesOf(frame)));
    const body = fc.oneof(
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
      header,
    );
    await fc.assert(
      fc.asyncProperty(body, async (bytes) => {
        const { status, frames } = await post(server, bytes);
        expect([200, 400, 413]).toContain(status);
        if (status === 200) return;
        expect(frames.map(([type]) => type)).toEqual([4]);
        expect(['protocol_error', 'frame_too_large']).toContain(frames[0]?.[1]);
      }),
      { numRuns: 150 },
    );
    await undisturbed();
  });

  it('answers an attach that was changed on its way with a documented status and code', async () => {
    const { server, undisturbed } = await world();
    const field = fc.constantFrom('v', 'cid', 'gen', 'rx', 'mode', 'hold', 'key', 'node', 'subs');
    const value = fc.oneof(
      fc.constantFrom(null, -1, 1.5, '', 'x'.repeat(300), [], {}, [[0, 'x', {}]], [[1, 7, {}]], 'a\u0000b', 2 ** 60),
      fc.jsonValue({ maxDepth: 2 }),
    );
    await fc.assert(
      fc.asyncProperty(field, value, async (name, changed) => {
        const attach = { v: 1, cid: newCid(), gen: 1, rx: 0, mode: 'poll', hold: 0, auth: { user: 'mallory' } };
        const { status, frames } = await post(server, linesOf([0, { ...attach, [name]: changed }]));
        expect([200, 400]).toContain(status);
        expect([0, 4]).toContain(frames[0]?.[0]);
        if (frames[0]?.[0] === 4) expect(['protocol_error', 'version_unsupported']).toContain(frames[0][1]);
      }),
      { numRuns: 150 },
    );
    await undisturbed();
  });

  it('bounds the credentials and subscriptions of an attach', async () => {
    const { server, undisturbed } = await world();
    const attach = { v: 1, cid: newCid(), gen: 1, rx: 0, mode: 'poll', hold: 0 };
    const tooLong = await post(server, linesOf([0, { ...attach, auth: 'x'.repeat(16_383) }]));
    expect([tooLong.status, tooLong.frames[0]?.[1]]).toEqual([400, 'protocol_error']);
    const subs = Array.from({ length: 1_002 }, (_, at) => [at + 1, `live/${at}`, {}]);
    const { frames } = await post(server, linesOf([0, { ...attach, auth: { user: 'mallory' }, subs }]));
    const refused = frames.filter(([type, , code]) => type === 20 && code === 'limit_reached');
    expect(frames.filter(([type]) => type === 17)).toHaveLength(1_000);
    expect(refused).toHaveLength(2);
    await undisturbed();
  });
});

describe('over WebSocket', () => {
  it.each([
    ['binary', Buffer.from(linesOf(ask(1, 1))), true],
    ['not UTF-8', Buffer.from([0x5b, 0xff, 0x5d]), false],
  ])('ends a session whose message is %s', async (_what, data, binary) => {
    const { server, undisturbed } = await world();
    const session = await SocketSession.open(server);
    session.send([3, 0]);
    session.ws.send(data, { binary });
    expect((await session.closed).code).toBe(4400);
    expect((await server.ended.find(({ user }) => user.id === 'mallory')).code).toBe('protocol_error');
    await undisturbed();
  });

  it('hears nothing but attach, probe and ping on a socket that carries no session', async () => {
    const { server, undisturbed } = await world();
    const socket = await SocketSession.bare(server);
    socket.send(ask(1, 'anybody?'), [3, 0], [22, 2, 'room/lobby', 'message', { text: 'a' }, 'k'], [1, 5], [6, 'nonce']);
    expect(await socket.down.count(2)).toEqual([
      [2, 5],
      [7, 'nonce'],
    ]);
    expect(server.realtime.stats()).toMatchObject({ sessions: 1, links: 2 });
    await undisturbed();
  });

  it('hears nothing of a session on a socket that another has superseded', async () => {
    const { server, undisturbed } = await world();
    const old = await SocketSession.open(server);
    const { key, node } = old.welcome;
    const next = await SocketSession.bare(server);
    next.send([0, { v: 1, cid: 'any', key, node, gen: 2, rx: 0, mode: 'websocket', auth: { user: 'mallory' } }]);
    await next.down.count(1);
    old.send(ask(1, 'late'), [6, 'parked']);
    expect((await old.down.count(2)).at(-1)).toEqual([7, 'parked']);
    next.send(ask(1, 'now'));
    expect((await next.down.count(2)).at(-1)).toEqual([19, 1, 'now']);
    await undisturbed();
  });

  it('carries one session over poll, WebSocket and stream, each going on where the other was', async () => {
    const { server } = await world();
    const polled = await PolledSession.open(server, { subs: [[1, 'room/lobby', {}]] });
    const channel = server.realtime.channel('room/:roomId', { roomId: 'lobby' });
    await channel.broadcast('message', { text: 'a' });
    const { frames } = await polled.poll({ rx: 1 });
    expect(frames.map(([type]) => type)).toEqual([10, 16, 13]);
    await channel.broadcast('message', { text: 'b' });
    const socket = await SocketSession.bare(server);
    socket.send(polled.attachAgain({ mode: 'websocket', rx: 1 }));
    const down = await socket.down.count(3);
    expect(down[0]?.[1]).toMatchObject({ resumed: true, base: 1, sid: polled.welcome.sid });
    expect(down.slice(1).map((frame) => frame[4])).toEqual([{ text: 'a' }, { text: 'b' }]);
    expect((await polled.poll({ n: 2, rx: 1 })).frames).toEqual([[8, 2]]);
    socket.end();
    await condition('the socket is gone', () => server.realtime.stats().links === 1);
  });
});
