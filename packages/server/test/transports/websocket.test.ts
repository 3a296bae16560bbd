import { once } from 'node:events';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  attachByPoll,
  attachFrame,
  lines,
  pollFrame,
  post,
  RawConnection,
  requestFrame,
  TestSocket,
} from './clients.ts';
import { serve } from './test-server.ts';

it('answers a probe and a ping before any attach, and touches no session', async () => {
  const server = await serve();
  const socket = await TestSocket.open(server);
  socket.send([6, 'nonce']);
  expect(await socket.next()).toEqual([7, 'nonce']);
  socket.send([1, 42]);
  expect(await socket.next()).toEqual([2, 42]);
  expect(server.gateway.registry.size).toBe(0);
});

it('reads a message of several lines, with or without the last line end', async () => {
  const server = await serve();
  const socket = await TestSocket.open(server);
  await socket.attach();
  socket.ws.send(lines(requestFrame(1, 'a'), requestFrame(2, 'b')));
  socket.send(requestFrame(3, 'c'), requestFrame(4, 'd'));
  for (const id of [1, 2, 3, 4]) expect((await socket.next())?.slice(0, 2)).toEqual([19, id]);
});

it('writes what one turn brings as one message', async () => {
  const server = await serve();
  const socket = await TestSocket.open(server);
  await socket.attach();
  socket.send(requestFrame(1, 'a'), requestFrame(2, 'b'), requestFrame(3, 'c'));
  expect(await socket.messages.next()).toBe('[3,3]\n[19,1,"a"]\n[19,2,"b"]\n[19,3,"c"]\n');
});

it('writes large batches as several messages, all of them in order', async () => {
  const server = await serve();
  const sockets = [await TestSocket.open(server), await TestSocket.open(server)];
  for (const [at, socket] of sockets.entries()) await socket.attach({ cid: `c${at}` });
  for (let offset = 1; offset <= 40; offset += 1) server.app.broadcast(offset, 'ŷ'.repeat(offset * 100));
  for (const socket of sockets) {
    for (let offset = 1; offset <= 40; offset += 1) {
      expect(await socket.next()).toEqual([16, 1, offset, 0, 'ŷ'.repeat(offset * 100)]);
    }
  }
});

it.each([10, 125, 126, 65_000])('writes a single line of %i characters as a frame of its own', async (length) => {
  const server = await serve();
  const socket = await TestSocket.open(server);
  await socket.attach();
  const { text } = server.app.broadcast(1, 'x'.repeat(length));
  expect(await socket.messages.next()).toBe(text);
});

it.each([
  ['a binary message', (ws: WebSocket) => ws.send(Buffer.from('[1,1]')), 'protocol_error', 4400],
  ['what is no JSON', (ws: WebSocket) => ws.send('{'), 'protocol_error', 4400],
  [
    'broken UTF-8',
    (ws: WebSocket) => ws.send(Buffer.from('[1,5,0,"\xff"]', 'latin1'), { binary: false }),
    'protocol_error',
    4400,
  ],
  ['an unknown counted frame', (ws: WebSocket) => ws.send('[99]'), 'protocol_error', 4400],
  ['another version', (ws: WebSocket) => ws.send('[0,{"v":2}]'), 'version_unsupported', 4406],
  [
    'an attach for another carrier',
    (ws: WebSocket) => ws.send(JSON.stringify(attachFrame({ gen: 9 }))),
    'protocol_error',
    4400,
  ],
  ['a line beyond its limit', (ws: WebSocket) => ws.send(`[9,"${'x'.repeat(66_000)}"]`), 'frame_too_large', 4413],
])('ends the session and the socket over %s', async (_what, send, code, close) => {
  const server = await serve();
  const other = await attachByPoll(server, { cid: 'other' });
  const socket = await TestSocket.open(server);
  await socket.attach();
  send(socket.ws);
  expect((await socket.next())?.slice(0, 2)).toEqual([4, code]);
  expect((await socket.closed).code).toBe(close);
  expect(server.app.ends).toEqual([code]);
  expect((await post(server.url, lines(pollFrame(other)))).frames).toHaveLength(2);
  expect(server.errors).toEqual([]);
});

it('ends the session over a message beyond its limit, which is not read', async () => {
  const server = await serve({ limits: { requestBodyBytes: 1_000 } });
  const socket = await TestSocket.open(server);
  await socket.attach();
  socket.ws.send('x'.repeat(1_001));
  expect((await socket.closed).code).toBe(1009);
  expect(server.app.ends).toEqual(['frame_too_large']);
});

it('refuses and closes where authenticate says null', async () => {
  const server = await serve();
  const socket = await TestSocket.open(server);
  socket.send(attachFrame({ mode: 'websocket', gen: 7, auth: 'nobody' }));
  expect(await socket.next()).toEqual([4, 'unauthorized', expect.any(String), 0, 7]);
  expect((await socket.closed).code).toBe(4401);
});

it('keeps what follows an attach in order while it is authenticated, but answers probes', async () => {
  const admit: (() => void)[] = [];
  const server = await serve({
    authenticate: () => new Promise((resolve) => admit.push(() => resolve({ id: 'anna' }))),
  });
  const socket = await TestSocket.open(server);
  socket.send(attachFrame({ mode: 'websocket', gen: 1 }), attachFrame({ mode: 'websocket', gen: 2 }), [6, 'nonce']);
  expect(await socket.next()).toEqual([7, 'nonce']);
  expect(admit).toHaveLength(1);
  admit[0]?.();
  expect((await socket.next())?.[1]).toMatchObject({ gen: 1 });
  expect(admit).toHaveLength(2);
  admit[1]?.();
  expect((await socket.next())?.[1]).toMatchObject({ gen: 2, resumed: true });
});

it('cuts off who sends many frames behind an attach that was not answered', async () => {
  const server = await serve({ authenticate: () => new Promise(() => {}) });
  const socket = await TestSocket.open(server);
  socket.send(attachFrame({ mode: 'websocket' }), ...Array.from({ length: 20 }, (_, id) => requestFrame(id + 1, '')));
  expect((await socket.next())?.slice(0, 2)).toEqual([4, 'protocol_error']);
  expect((await socket.closed).code).toBe(4400);
});

it('aborts the signal of authenticate when the client leaves', async () => {
  let leave = () => {};
  const aborted = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const server = await serve({
    authenticate: async ({ signal }) => {
      socket.ws.terminate();
      await once(signal, 'abort');
      leave();
      return { id: 'anna' };
    },
  });
  const socket = await TestSocket.open(server);
  socket.send(attachFrame({ mode: 'websocket' }));
  await aborted;
  expect(server.gateway.registry.linkCount).toBe(0);
});

it('parks a superseded socket, which may attach again or is closed', async () => {
  const server = await serve();
  const socket = await TestSocket.open(server);
  const { key } = await socket.attach();
  await attachByPoll(server, { key, gen: 2 });
  expect(await socket.attach({ key, gen: 3 })).toMatchObject({ resumed: true });
  await attachByPoll(server, { key, gen: 4 });
  socket.send(requestFrame(1, 'of an older generation'), [1, 5]);
  expect(await socket.next()).toEqual([2, 5]);
  expect(server.app.requested).toEqual([]);
  server.clock.advance(10_000);
  expect(await socket.next()).toEqual([4, 'superseded', expect.any(String), 0]);
  expect((await socket.closed).code).toBe(4409);
});

it('closes a socket that never attaches', async () => {
  const server = await serve();
  const socket = await TestSocket.open(server);
  server.clock.advance(30_000);
  expect((await socket.closed).code).toBe(4409);
  expect(server.clock.pending).toBe(0);
});

it('leaves the session to be resumed when a socket is cut', async () => {
  const server = await serve();
  const socket = await TestSocket.open(server);
  const { key } = await socket.attach();
  const gone = new Promise<void>((resolve) => {
    server.app.reachable = (_session, reachable) => reachable || resolve();
  });
  socket.ws.terminate();
  await gone;
  server.app.broadcast(1, 'news');
  const next = await TestSocket.open(server);
  expect(await next.attach({ key, gen: 2 })).toMatchObject({ resumed: true, base: 0 });
  expect(await next.next()).toEqual([16, 1, 1, 0, 'news']);
});

it.each([
  ['of another origin', 'https://evil.example', {}, 403, 'forbidden_origin'],
  ['for which there is no room', undefined, { socketsMax: 0 }, 503, 'overloaded'],
  ['where sockets are not offered', undefined, { transports: ['poll'] as const }, 400, 'transport_unavailable'],
])('refuses a handshake %s', async (_what, origin, options, status, code) => {
  const server = await serve(options);
  const ws = new WebSocket(server.url.replace('http', 'ws'), origin === undefined ? {} : { origin });
  const [, response] = await once(ws, 'unexpected-response');
  expect(response.statusCode).toBe(status);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  expect(JSON.parse(Buffer.concat(chunks).toString())[1]).toBe(code);
});

it('answers a handshake that is none, and ends the connection', async () => {
  const server = await serve();
  const raw = new RawConnection(server.port);
  raw.write(
    'GET /realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  await raw.until('HTTP/1.1 400');
  await raw.ended;
});

it('chooses no subprotocol and no extension', async () => {
  const server = await serve();
  const raw = new RawConnection(server.port);
  raw.write(
    'GET /realtime?a=b HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n',
  );
  const head = await raw.until('\r\n\r\n');
  expect(head).toContain('101 Switching Protocols');
  expect(head).not.toMatch(/sec-websocket-(protocol|extensions)/i);
});
