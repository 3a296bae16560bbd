import { once } from 'node:events';
import { expect, it } from 'vitest';
import {
  attachByPoll,
  attachFrame,
  Body,
  lines,
  pollFrame,
  post,
  postFrame,
  requestFrame,
  TestSocket,
} from './clients.ts';
import { serve } from './test-server.ts';

it('welcomes a poll in one round trip, with what it subscribed to', async () => {
  const server = await serve();
  const answer = await post(server.url, lines(attachFrame({ subs: [[1, 'room', {}]] })));
  expect(answer.status).toBe(200);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-type': 'application/octet-stream',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'content-length': expect.any(String),
  });
  const [welcome, subscribed, end] = answer.frames;
  expect(welcome).toEqual([
    0,
    {
      cid: 'c1',
      key: expect.stringMatching(/^[\w-]+\.n1\.[\w-]{43}$/),
      sid: server.app.session.sid,
      node: 'n1',
      gen: 1,
      resumed: false,
      rx: 0,
      base: 0,
      client: expect.any(String),
      heartbeatMs: 10_000,
      limits: { messageBytes: 1_048_576, outboxBytes: 4_194_304, holdMs: 25_000, dedupMs: 300_000, ttlMs: 120_000 },
      transports: ['websocket', 'stream', 'poll'],
    },
  ]);
  expect(subscribed?.slice(0, 2)).toEqual([17, 1]);
  expect(end).toEqual([13]);
});

it('answers a repeated attach alike and makes no second session', async () => {
  const server = await serve();
  const body = lines(attachFrame({ subs: [[1, 'room', {}]] }));
  const [first, second] = [await post(server.url, body), await post(server.url, body)];
  expect(second.frames.map(([type]) => type)).toEqual(first.frames.map(([type]) => type));
  expect(second.frames[0]?.[1].sid).toBe(first.frames[0]?.[1].sid);
  expect(server.gateway.registry.size).toBe(1);
});

it('fences an attach of an older generation', async () => {
  const server = await serve();
  const { key } = await attachByPoll(server, { gen: 5 });
  expect((await post(server.url, lines(attachFrame({ gen: 4, key })))).frames).toEqual([[8, 5]]);
});

it('lets only the newer of two attaches through, whichever was authenticated first', async () => {
  const admit = new Map<unknown, () => void>();
  const asked: (() => void)[] = [];
  const server = await serve({
    authenticate: ({ auth }) =>
      new Promise((resolve) => {
        admit.set(auth, () => resolve({ id: 'anna' }));
        if (admit.size === 2) for (const both of asked) both();
      }),
  });
  const bothAsked = new Promise<void>((resolve) => asked.push(resolve));
  const older = post(server.url, lines(attachFrame({ gen: 1, auth: 'older' })));
  const newer = post(server.url, lines(attachFrame({ gen: 2, auth: 'newer' })));
  await bothAsked;
  admit.get('newer')?.();
  expect((await newer).frames[0]?.[1]).toMatchObject({ gen: 2, resumed: false });
  admit.get('older')?.();
  expect((await older).frames).toEqual([[8, 2]]);
  expect(server.gateway.registry.size).toBe(1);
});

it('refuses with unauthorized where authenticate says null', async () => {
  const server = await serve();
  const answer = await post(server.url, lines(attachFrame({ gen: 3, auth: 'nobody' })));
  expect(answer.status).toBe(200);
  expect(answer.frames).toEqual([[4, 'unauthorized', expect.any(String), 0, 3]]);
  expect(server.gateway.registry.size).toBe(0);
});

it.each([
  [
    'throws',
    () => {
      throw new Error('no database');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no database'))],
  ['says nonsense', () => ({ id: 7 }) as never],
  ['forgets to answer', () => undefined as never],
])('answers internal and reports where authenticate %s', async (_what, authenticate) => {
  const server = await serve({ authenticate });
  const { frames } = await post(server.url, lines(attachFrame()));
  expect(frames).toEqual([[4, 'internal', expect.any(String), 2_000, 1]]);
  expect(server.errors).toHaveLength(1);
});

it('asks to retry where authenticate takes too long, and aborts its signal', async () => {
  let signal: AbortSignal | undefined;
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const server = await serve({
    authenticate: (input) => {
      signal = input.signal;
      asked();
      return new Promise(() => {});
    },
  });
  const answer = post(server.url, lines(attachFrame({ gen: 2 })));
  await isAsked;
  server.clock.advance(10_000);
  expect((await answer).frames).toEqual([[15, 2, 2_000]]);
  expect(signal?.aborted).toBe(true);
});

it('forgets an attach whose client left while it was authenticated', async () => {
  const abort = new AbortController();
  const server = await serve({
    authenticate: async ({ signal, auth }) => {
      if (auth !== 'leaving') return { id: 'anna' };
      abort.abort();
      await once(signal, 'abort');
      return { id: 'anna' };
    },
  });
  const leaving = post(server.url, lines(attachFrame({ auth: 'leaving' })), { signal: abort.signal });
  await expect(leaving).rejects.toThrow('abort');
  await attachByPoll(server, { cid: 'c2' });
  expect(server.app.sessions.map(({ cid }) => cid)).toEqual(['c2']);
});

it('passes the request and what the client gave to authenticate', async () => {
  const seen: unknown[] = [];
  const server = await serve({
    authenticate: ({ request, auth }) => {
      seen.push([request.url, request.headers.cookie, request.socket.remoteAddress, auth]);
      return { id: 'anna' };
    },
  });
  const headers = { cookie: 'session=1' };
  await post(server.url, lines(attachFrame({ auth: { token: 't' } })), { headers });
  const socket = await TestSocket.open(server, headers);
  await socket.attach({ gen: 2, auth: { token: 't' } });
  await socket.attach({ gen: 3, auth: { token: 't' } });
  expect(seen).toEqual(Array(3).fill(['/realtime', 'session=1', '127.0.0.1', { token: 't' }]));
});

it('binds a session to the identity that opened it', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server, { auth: 'anna' });
  const stolen = await attachByPoll(server, { key: welcome.key, gen: 2, auth: 'bob' });
  expect(stolen).toMatchObject({ resumed: false, was: welcome.sid });
  expect(stolen.sid).not.toBe(welcome.sid);
});

it('does not take a forged key for a session', async () => {
  const server = await serve();
  const { key, sid } = await attachByPoll(server);
  const forged = `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;
  expect(await attachByPoll(server, { key: forged, gen: 2 })).toMatchObject({ resumed: false, was: sid });
  expect((await post(server.url, lines(pollFrame({ key: forged, gen: 1 } as never)))).frames).toEqual([[14, 1]]);
  expect((await post(server.url, lines(postFrame({ key: 'no key', gen: 1 } as never)))).frames).toEqual([[14, 1]]);
});

it('refuses a transport that is not offered, and one that no POST can carry', async () => {
  const server = await serve({ transports: ['poll'] });
  expect((await post(server.url, lines(attachFrame({ mode: 'stream', gen: 2 })))).frames).toEqual([
    [4, 'transport_unavailable', expect.any(String), 0, 2],
  ]);
  const answer = await post(server.url, lines(attachFrame({ mode: 'websocket' })));
  expect([answer.status, answer.frames[0]?.[1]]).toEqual([400, 'protocol_error']);
});

it('says version_unsupported in a proper answer', async () => {
  const server = await serve();
  const answer = await post(server.url, lines([0, { v: 2 }]));
  expect(answer.status).toBe(200);
  expect(answer.frames).toEqual([[4, 'version_unsupported', expect.any(String), 0]]);
});

it('refuses attaches beyond sessionsMax with overloaded', async () => {
  const server = await serve({ sessionsMax: 1 });
  await attachByPoll(server);
  const { frames } = await post(server.url, lines(attachFrame({ cid: 'c2' })));
  expect(frames).toEqual([[4, 'overloaded', expect.any(String), 5_000, 1]]);
});

it('carries one session over poll, WebSocket and stream without losing or repeating a frame', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  await post(server.url, lines(postFrame(welcome), requestFrame(1, 'by poll')));
  const socket = await TestSocket.open(server);
  expect(await socket.attach({ key: welcome.key, gen: 2 })).toMatchObject({ resumed: true, rx: 1, base: 0 });
  expect(await socket.next()).toEqual([19, 1, 'by poll']);
  socket.send(requestFrame(2, 'by socket'));
  expect(await socket.next()).toEqual([19, 2, 'by socket']);
  const body = await Body.open(server.url, lines(attachFrame({ key: welcome.key, gen: 3, rx: 1, mode: 'stream' })));
  expect((await body.next())?.[1]).toMatchObject({ resumed: true, rx: 2, base: 1 });
  expect(await body.next()).toEqual([19, 2, 'by socket']);
  expect(server.app.requested).toEqual(['by poll', 'by socket']);
});
