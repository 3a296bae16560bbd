import { once } from 'node:events';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Gateway } from '../src/gateway.ts';
import {
  attachByPoll,
  attachFrame,
  Body,
  lines,
  pollFrame,
  post,
  RawConnection,
  TestSocket,
} from './transports/clients.ts';
import { FakeApp } from './transports/fake-app.ts';
import { newGateway, serve } from './transports/test-server.ts';

it('refuses a path without a slash', () => {
  expect(() => new Gateway({ app: new FakeApp(), authenticate: () => null, path: 'realtime' })).toThrow(TypeError);
});

it('says goodbye on everything when it closes, and resolves when all have gone', async () => {
  const server = await serve();
  const welcome = await attachByPoll(server);
  const poll = post(server.url, lines(pollFrame(welcome, { hold: 20_000 })));
  await server.taken(1);
  const body = await Body.open(server.url, lines(attachFrame({ cid: 'c2', mode: 'stream' })));
  await body.next();
  const socket = await TestSocket.open(server);
  await socket.attach({ cid: 'c3' });
  const idle = await TestSocket.open(server);
  const probe = await Body.open(server.url, lines([6, 'nonce']));
  await probe.next();
  server.app.broadcast(1, 'last words');
  const closed = server.gateway.close({ retryMs: 3_000 });
  const goaway = [4, 'server_closing', expect.any(String), 3_000];
  const lastWords = [16, 1, 1, 0, 'last words'];
  const { frames } = await poll;
  expect(frames).toContainEqual(lastWords);
  // The client does not ask for more, and is not waited for any longer.
  await server.clock.advance(1_000);
  await closed;
  expect([await body.next(), await body.next(), await body.next()]).toEqual([lastWords, goaway, null]);
  expect([await socket.next(), await socket.next()]).toEqual([lastWords, goaway]);
  expect((await socket.closed).code).toBe(4503);
  expect(await idle.next()).toEqual(goaway);
  expect([await probe.next(), await probe.next()]).toEqual([[13], null]);
  expect(server.gateway.carrierCount).toBe(0);
  expect(server.gateway.registry.linkCount).toBe(0);
  expect(server.gateway.registry.size).toBe(0);
  expect(server.app.ends).toEqual(['server_closing', 'server_closing', 'server_closing']);
  expect(server.clock.pending).toBe(0);
});

it('turns newcomers away once it closes', async () => {
  const server = await serve();
  await server.gateway.close({ retryMs: 3_000 });
  const answer = await post(server.url, lines(attachFrame()));
  expect([answer.status, answer.headers.get('connection'), answer.frames]).toEqual([
    503,
    'close',
    [[4, 'server_closing', expect.any(String), 3_000]],
  ]);
  const ws = new WebSocket(server.url.replace('http', 'ws'));
  const [, response] = await once(ws, 'unexpected-response');
  expect(response.statusCode).toBe(503);
  response.destroy();
});

it('closes an attach whose authentication it did not wait for', async () => {
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  let admit = () => {};
  const server = await serve({
    authenticate: () => {
      asked();
      return new Promise((resolve) => {
        admit = () => resolve({ id: 'anna' });
      });
    },
  });
  const answer = post(server.url, lines(attachFrame()));
  await isAsked;
  const closed = server.gateway.close();
  admit();
  expect((await answer).frames[0]?.slice(0, 2)).toEqual([4, 'server_closing']);
  await closed;
});

it('cuts off who does not go in time', async () => {
  const server = await serve();
  const raw = new RawConnection(server.port);
  raw.write('POST /realtime HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n');
  const socket = await TestSocket.open(server);
  socket.ws.pause();
  await attachByPoll(server);
  await server.gateway.close({ timeoutMs: 1 });
  await raw.ended;
  expect(server.gateway.carrierCount).toBe(0);
});

it('may be closed twice, and before anything has happened', async () => {
  const gateway = newGateway();
  await Promise.all([gateway.close(), gateway.close()]);
});

it('holds nothing after sessions, links and probes have gone', async () => {
  const server = await serve();
  for (let at = 0; at < 20; at += 1) {
    const welcome = await attachByPoll(server, { cid: `c${at}` });
    const socket = await TestSocket.open(server);
    await socket.attach({ key: welcome.key, gen: 2 });
    const body = await Body.open(server.url, lines([6, 'nonce']));
    await body.next();
    body.abort();
    socket.ws.close();
    await socket.closed;
  }
  server.clock.advance(200_000);
  while (server.gateway.carrierCount > 0) await new Promise(setImmediate);
  expect(server.gateway.registry.size).toBe(0);
  expect(server.gateway.registry.linkCount).toBe(0);
  expect(server.gateway.registry.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  expect(server.clock.pending).toBe(0);
});
