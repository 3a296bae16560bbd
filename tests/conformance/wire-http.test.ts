import { describe, expect, it } from 'vitest';
import { Collector, condition, connect, failureOf, roomOf, TestServer, type TestServerOptions } from './harness.ts';
import {
  attachFrame,
  type Frame,
  linesOf,
  newCid,
  PolledSession,
  post,
  RawConnection,
  requestText,
  SocketSession,
  send,
  welcomeIn,
} from './wire.ts';

const END: Frame = [13];
const ask = (id: number, data: unknown): Frame => [18, id, 'room/lobby', 'ask', data];
const subs = [[1, 'room/lobby', {}]] as const;

/** Sessions here have no client that says goodbye. */
const start = (options: TestServerOptions = {}): Promise<TestServer> =>
  TestServer.start({ leavesSessions: true, ...options });

/** Texts that the handler of `message` was given. */
function publishesOf(server: TestServer): string[] {
  const texts: string[] = [];
  server.onMessage = ({ data, channel }) => {
    texts.push(data.text);
    void channel.broadcast('message', data);
  };
  return texts;
}

const publish = (id: number, text: string, key: string): Frame => [22, id, 'room/lobby', 'message', { text }, key];

describe('attach', () => {
  it('is answered alike when it is repeated, and makes one session', async () => {
    const server = await start();
    const body = linesOf(attachFrame({ cid: newCid(), subs }));
    const [first, second] = [await post(server, body), await post(server, body)];
    expect(first.frames.map(([type]) => type)).toEqual([0, 17, 13]);
    expect(second.frames).toEqual(first.frames);
    expect(server.realtime.stats()).toMatchObject({ sessions: 1, subscriptions: 1 });
  });

  it('is fenced when its generation is an older one', async () => {
    const server = await start();
    const session = await PolledSession.open(server, { gen: 5 });
    expect((await send(server, session.attachAgain({ gen: 4 }))).frames).toEqual([[8, 5]]);
    expect(server.realtime.stats().sessions).toBe(1);
  });

  it('with the key of a session that is gone makes a new one, and says so', async () => {
    const server = await start({ limits: { ttlMs: 1_000 } });
    const session = await PolledSession.open(server);
    await session.poll();
    await server.expire(1_000);
    const { frames } = await send(server, session.attachAgain({ rx: 7, subs }));
    expect(frames[0]?.[1]).toMatchObject({ resumed: false, was: session.welcome.sid, rx: 0, base: 0, gen: 2 });
    expect(frames.slice(1).map(([type]) => type)).toEqual([17, 13]);
    expect(welcomeIn(frames).sid).not.toBe(session.welcome.sid);
  });

  it.each([
    ['forged', (key: string) => `${key.slice(0, -2)}${key.endsWith('AA') ? 'BB' : 'AA'}`],
    ['no key at all', () => 'nonsense'],
    ['that of an object', () => '__proto__'],
  ])('with a key that is %s opens no session but its own', async (_what, forge) => {
    const server = await start();
    const session = await PolledSession.open(server);
    const key = forge(session.welcome.key);
    const { frames } = await send(server, attachFrame({ cid: newCid(), key, gen: 9 }));
    expect(frames[0]?.[1]).toMatchObject({ resumed: false });
    expect(welcomeIn(frames).sid).not.toBe(session.welcome.sid);
    expect((await session.poll({ n: 1 })).frames[0]?.[0]).toBe(10);
  });

  it('with the key of another user opens no session but its own', async () => {
    const server = await start();
    const session = await PolledSession.open(server, { auth: { user: 'ann' } });
    const { frames } = await send(server, session.attachAgain({ cid: newCid(), auth: { user: 'mallory' } }));
    expect(frames[0]?.[1]).toMatchObject({ resumed: false });
    expect((await session.poll()).frames[0]?.[0]).toBe(10);
  });

  it('of another version of the protocol is refused as such', async () => {
    const server = await start();
    const { status, frames } = await send(server, [0, { v: 2, any: 'thing' }]);
    expect([status, frames]).toEqual([200, [[4, 'version_unsupported', expect.any(String), 0]]]);
  });

  it('is refused with overloaded when there are too many sessions', async () => {
    const server = await start({ sessionsMax: 1 });
    await PolledSession.open(server);
    const { frames } = await send(server, attachFrame({ cid: newCid(), gen: 3 }));
    expect(frames).toEqual([[4, 'overloaded', expect.any(String), expect.any(Number), 3]]);
  });
});

describe('poll', () => {
  it('is held until there is something to say', async () => {
    const server = await start();
    const session = await PolledSession.open(server, { subs });
    const held = session.poll({ rx: 1, hold: 20_000 });
    await session.post({}, [9, 'room/lobby', 'nudge', 'seen']);
    await server.nudges.count(1);
    await server.realtime.channel('room/:roomId', { roomId: 'lobby' }).broadcast('message', { text: 'a' });
    const { frames } = await held;
    expect(frames).toEqual([
      [10, { sid: session.welcome.sid, gen: 1, n: 1, base: 1, rx: 0 }],
      [16, expect.any(Number), 1, expect.any(Number), { text: 'a' }],
      END,
    ]);
  });

  it('gives way to a newer one, which gets what comes', async () => {
    const server = await start();
    const session = await PolledSession.open(server, { subs });
    const older = session.poll({ n: 1, rx: 1, hold: 20_000 });
    // Both are on their way at once: the newer one may even come first.
    const newer = session.poll({ n: 2, rx: 1, hold: 20_000 });
    expect((await older).frames).toEqual([[10, expect.objectContaining({ n: 1 })], END]);
    await server.realtime.channel('room/:roomId', { roomId: 'lobby' }).broadcast('message', { text: 'a' });
    expect((await newer).frames.map(([type]) => type)).toEqual([10, 16, 13]);
  });

  it('is answered alike when it comes twice', async () => {
    const server = await start();
    const session = await PolledSession.open(server, { subs });
    const twice = [session.poll({ rx: 1, hold: 20_000 }), session.poll({ rx: 1, hold: 20_000 })];
    const channel = server.realtime.channel('room/:roomId', { roomId: 'lobby' });
    const answers = Promise.all(twice);
    let answered = false;
    void answers.then(() => {
      answered = true;
    });
    await condition('both are answered', async () => {
      if (!answered) await channel.broadcast('message', { text: 'a' });
      return answered;
    });
    const [first, second] = await answers;
    expect(first?.frames[1]).toMatchObject([16, expect.any(Number), 1, expect.any(Number), { text: 'a' }]);
    // Where the second came after the first was answered it is answered with what there is by then, from the same place.
    expect(second?.frames.slice(0, 2)).toEqual(first?.frames.slice(0, 2));
  });

  it('is answered empty at once when a newer one has been', async () => {
    const server = await start();
    const session = await PolledSession.open(server, { subs });
    await session.poll({ n: 5, rx: 1 });
    const { frames } = await session.poll({ n: 4, rx: 1, hold: 20_000 });
    expect(frames).toEqual([[10, expect.objectContaining({ n: 4 })], END]);
  });

  it('is told again what the answer held that was lost', async () => {
    const server = await start();
    const session = await PolledSession.open(server, { subs });
    await server.realtime.channel('room/:roomId', { roomId: 'lobby' }).broadcast('message', { text: 'a' });
    const lost = await session.poll({ n: 1, rx: 1 });
    const again = await session.poll({ n: 2, rx: 1 });
    expect(lost.frames[1]?.[0]).toBe(16);
    expect(again.frames.slice(1)).toEqual(lost.frames.slice(1));
  });

  it('of an older generation is fenced', async () => {
    const server = await start();
    const session = await PolledSession.open(server);
    await send(server, session.attachAgain());
    expect((await session.poll()).frames).toEqual([[8, 2]]);
  });

  it('ends at once when another attach takes over', async () => {
    const server = await start();
    const session = await PolledSession.open(server);
    const held = session.poll({ hold: 20_000 });
    await send(server, session.attachAgain());
    // It was held, and ends empty; or it came later, and is fenced.
    expect([10, 8]).toContain((await held).frames[0]?.[0]);
  });

  it('for a session that nobody knows is asked to attach', async () => {
    const server = await start();
    const session = await PolledSession.open(server);
    const { frames } = await session.poll({ key: `${session.welcome.key.slice(0, -3)}AAA` });
    expect(frames).toEqual([[14, 1]]);
  });
});

describe('POST', () => {
  it('is applied once when it is repeated, uncounted frames included', async () => {
    const server = await start();
    const texts = publishesOf(server);
    const session = await PolledSession.open(server);
    const frames = [publish(1, 'a', 'k1'), [9, 'room/lobby', 'nudge', 'hey'], publish(2, 'b', 'k2')];
    const first = await session.post({ n: 1, base: 0 }, ...frames);
    const second = await session.post({ n: 1, base: 0 }, ...frames);
    expect([first.frames, second.frames]).toEqual(Array(2).fill([[11, { sid: session.welcome.sid, gen: 1, rx: 2 }]]));
    const down = await session.poll({ hold: 20_000 });
    expect(down.frames.map(([type]) => type)).toContain(19);
    await session.post({ n: 2, base: 2 }, ask(3, 'all?'));
    await condition('all is handled', async () =>
      (await session.poll({ n: 9, rx: 0 })).frames.some(([, id]) => id === 3),
    );
    expect(texts).toEqual(['a', 'b']);
    expect(server.nudges.items).toEqual(['hey']);
  });

  it('is taken as far as it is new', async () => {
    const server = await start();
    const texts = publishesOf(server);
    const session = await PolledSession.open(server);
    await session.post({ n: 1, base: 0 }, publish(1, 'a', 'k1'));
    const { frames } = await session.post({ n: 2, base: 0 }, publish(1, 'a', 'k1'), publish(2, 'b', 'k2'));
    expect(frames).toEqual([[11, { sid: session.welcome.sid, gen: 1, rx: 2 }]]);
    await condition('both are handled', () => texts.length >= 2);
    expect(texts).toEqual(['a', 'b']);
  });

  it('that leaves a gap is asked to attach, and nothing of it is applied', async () => {
    const server = await start();
    const texts = publishesOf(server);
    const session = await PolledSession.open(server);
    expect((await session.post({ base: 1 }, publish(2, 'b', 'k2'))).frames).toEqual([[14, 1]]);
    expect((await session.post({ base: 0 }, publish(1, 'a', 'k1'))).frames).toMatchObject([[11, { rx: 1 }]]);
    await condition('one is handled', () => texts.length > 0);
    expect(texts).toEqual(['a']);
  });

  it('whose body was cut off does nothing', async () => {
    const server = await start();
    const texts = publishesOf(server);
    const session = await PolledSession.open(server);
    const body = linesOf(session.postFrame(), publish(1, 'never', 'k1'), publish(2, 'never', 'k2'));
    const connection = new RawConnection(server);
    connection.write(requestText(body).slice(0, -4));
    connection.destroy();
    await connection.ended;
    const { frames } = await session.post({ n: 2, base: 0 }, publish(1, 'a', 'k3'));
    expect(frames).toMatchObject([[11, { rx: 1 }]]);
    await condition('one is handled', () => texts.length > 0);
    expect(texts).toEqual(['a']);
  });

  it('leaves out a line that has no end', async () => {
    const server = await start();
    const session = await PolledSession.open(server);
    const body = linesOf(session.postFrame(), ask(1, 'whole')) + JSON.stringify(ask(2, 'cut'));
    expect((await post(server, body)).frames).toMatchObject([[11, { rx: 1 }]]);
  });

  it('of an older generation is fenced', async () => {
    const server = await start();
    const session = await PolledSession.open(server);
    await send(server, session.attachAgain());
    expect((await session.post({}, ask(1, 'late'))).frames).toEqual([[8, 2]]);
  });

  it('whose lines were cut anywhere between packets is read whole', async () => {
    const server = await start();
    const session = await PolledSession.open(server);
    const bytes = Buffer.from(requestText(linesOf(session.postFrame(), ask(1, '€𝄞'))));
    const connection = new RawConnection(server);
    for (const byte of bytes) connection.write(Uint8Array.of(byte));
    expect(await connection.until('"rx":1')).toContain('HTTP/1.1 200');
    const { frames } = await session.poll({ hold: 20_000 });
    expect(frames).toContainEqual([19, 1, '€𝄞']);
  });
});

describe('a publish with a key that was used before', () => {
  it('is answered as before, and done once', async () => {
    const server = await start();
    const texts = publishesOf(server);
    const session = await PolledSession.open(server, { subs });
    await session.post({ n: 1, base: 0 }, publish(2, 'a', 'same'));
    await session.post({ n: 2, base: 1 }, publish(3, 'a', 'same'));
    const answered = new Set<unknown>();
    let messages = 0;
    for (let [n, rx] = [1, 1]; answered.size < 2; n += 1) {
      const { frames } = await session.poll({ n, rx, hold: 20_000 });
      rx += frames.filter(([type]) => type >= 16).length;
      for (const [type, id] of frames) if (type === 19) answered.add(id);
      messages += frames.filter(([type]) => type === 16).length;
    }
    expect([...answered]).toEqual([2, 3]);
    expect(texts).toEqual(['a']);
    expect(messages).toBe(1);
  });

  it('is done once over two sessions of one user, and twice for two users', async () => {
    const server = await start();
    const texts = publishesOf(server);
    for (const [n, user] of ['ann', 'ann', 'bob'].entries()) {
      const session = await PolledSession.open(server, { auth: { user } });
      await session.post({ n: 1, base: 0 }, publish(1, `${user} ${n}`, 'same'));
      const { frames } = await session.poll({ hold: 20_000 });
      expect(frames).toContainEqual([19, 1]);
    }
    expect(texts).toEqual(['ann 0', 'bob 2']);
  });
});

describe('HTTP', () => {
  it('1.0 is served, with the end of the connection as the end of a stream', async () => {
    const server = await start();
    const polling = new RawConnection(server);
    polling.write(requestText(linesOf(attachFrame({ cid: newCid(), subs })), { version: '1.0' }));
    const answer = await polling.until('[13]\n');
    expect(answer).toMatch(/^HTTP\/1\.\d 200 OK\r\n/);
    expect(answer).toContain('[17,1,');
    await polling.ended;

    const streaming = new RawConnection(server);
    streaming.write(requestText(linesOf(attachFrame({ cid: newCid(), mode: 'stream', subs })), { version: '1.0' }));
    await streaming.until('[17,1,');
    await server.realtime.channel('room/:roomId', { roomId: 'lobby' }).broadcast('message', { text: 'a' });
    const streamed = await streaming.until('{"text":"a"}');
    expect(streamed.toLowerCase()).not.toContain('transfer-encoding');
  });

  it('1.0 clients keep their connection where they ask for it', async () => {
    const server = await start();
    const connection = new RawConnection(server);
    const headers = 'Connection: keep-alive\r\n';
    for (const cid of ['k1', 'k2']) {
      const seen = connection.text.length;
      connection.write(requestText(linesOf(attachFrame({ cid })), { version: '1.0', headers }));
      await condition('it is answered', () => connection.text.slice(seen).includes('[13]\n'));
    }
    expect(connection.text.match(/200 OK/g)).toHaveLength(2);
  });

  it.each([
    ['a body that cannot be read', 'POST', 'nonsense\n', 400],
    ['a body that is empty', 'POST', '', 400],
    ['a body that is too large', 'POST', 'x'.repeat(1_114_113), 413],
    ['a line that is too long', 'POST', `[0,{"v":1,"cid":"${'x'.repeat(65_536)}"}]\n`, 413],
    ['another method', 'PUT', 'nonsense', 405],
    ['a handshake without its upgrade', 'GET', '', 426],
  ])('connections serve on after %s', async (_what, method, body, status) => {
    const server = await start();
    const connection = new RawConnection(server);
    connection.write(requestText(body, { method }));
    const refusal = await connection.until(']\n');
    expect(refusal).toContain(`HTTP/1.1 ${status} `);
    expect(refusal).toMatch(/\[4,"\w+",".*",\d+\]\n$/);
    connection.write(requestText(linesOf(attachFrame({ cid: newCid() }))));
    expect(await connection.until('[13]\n')).toContain('HTTP/1.1 200 OK');
  });

  it.each([
    ['GET', 426, 'transport_unavailable'],
    ['PUT', 405, 'protocol_error'],
    ['DELETE', 405, 'protocol_error'],
  ])('answers %s with %i at once', async (method, status, code) => {
    const server = await start();
    const response = await fetch(server.url, { method });
    expect([response.status, JSON.parse(await response.text())]).toEqual([status, [4, code, expect.any(String), 0]]);
    if (status === 405) expect(response.headers.get('allow')).toBe('POST, OPTIONS');
  });

  it.each([
    ['that is not UTF-8', Buffer.from([0x5b, 0x30, 0x2c, 0xff, 0xfe, 0x5d, 0x0a])],
    ['cut within a character', Buffer.from('[6,"€').subarray(0, -1)],
    ['with a surrogate in it', Buffer.from([0xed, 0xa0, 0x80, 0x0a])],
  ])('refuses a body %s with 400', async (_what, body) => {
    const server = await start();
    const { status, frames } = await post(server, body);
    expect([status, frames]).toEqual([400, [[4, 'protocol_error', expect.any(String), 0]]]);
  });

  it('answers with headers that keep proxies from keeping, changing and holding it', async () => {
    const server = await start();
    const { headers } = await send(server, attachFrame());
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
  });

  it('leaves other paths to the app', async () => {
    const server = await start();
    const response = await fetch(server.url.replace('realtime', 'realtime-not'));
    expect(response.status).toBe(404);
    expect((await fetch(`${server.url}?page=1`, { method: 'POST', body: linesOf(attachFrame()) })).status).toBe(200);
  });
});

describe('origins', () => {
  const listed = 'https://app.example';

  it.each([
    ['of its own', (own: string) => own, 200],
    ['on the list', () => listed, 200],
    ['of anybody else', () => 'https://evil.example', 403],
    ['like its own', (own: string) => own.replace(/:\d+$/, ''), 403],
    ['null', () => 'null', 403],
    ['of a file', () => 'file://', 403],
    ['of an app', () => 'capacitor://localhost', 403],
    ['that is no URL', () => '__proto__', 403],
  ])('take POSTs and handshakes of a page %s as they should', async (_what, originOf, status) => {
    const server = await start({ origins: [listed] });
    const origin = originOf(new URL(server.url).origin);
    const answer = await post(server, linesOf(attachFrame()), { headers: { origin } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin === listed ? listed : null);
    if (status === 403) {
      expect(answer.frames).toEqual([[4, 'forbidden_origin', expect.any(String), 0]]);
      await expect(SocketSession.bare(server, { origin })).rejects.toThrow('403');
      expect(server.realtime.stats().sessions).toBe(0);
    } else {
      const socket = await SocketSession.bare(server, { origin });
      socket.send([6, 'nonce']);
      expect(await socket.down.count(1)).toEqual([[7, 'nonce']]);
    }
  });

  it('answer the preflight of a page on the list, and of no other', async () => {
    const server = await start({ origins: [listed] });
    const ask = (origin: string): Promise<Response> =>
      fetch(server.url, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-any' },
      });
    const allowed = await ask(listed);
    expect(allowed.status).toBe(204);
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      'access-control-allow-origin': listed,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'x-any',
      vary: 'Origin',
    });
    const refused = await ask('https://evil.example');
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  it('keep a client out whose page is not on the list', async () => {
    const server = await start({ origins: [listed] });
    const states = new Collector<string>();
    for (const transports of [['websocket'], ['stream'], ['poll']] as const) {
      const client = connect(server, { transports, headers: { origin: 'https://evil.example' } });
      client.onState(({ status }) => states.push(status));
      void failureOf(roomOf(client).ready());
    }
    await condition('each has tried', () => states.items.length >= 3);
    expect(server.realtime.stats().sessions).toBe(0);
  });
});
