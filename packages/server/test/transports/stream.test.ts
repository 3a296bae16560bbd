import { expect, it } from 'vitest';
import { attachByPoll, attachFrame, Body, lines, post, postFrame, requestFrame, TestSocket } from './clients.ts';
import { serve } from './test-server.ts';

const openStream = (url: string, attach = {}) => Body.open(url, lines(attachFrame({ mode: 'stream', ...attach })));

it('opens with the welcome and goes on for as long as the body lives', async () => {
  const server = await serve();
  const body = await openStream(server.url);
  expect([body.status, body.headers.get('x-accel-buffering')]).toEqual([200, 'no']);
  const welcome = (await body.next())?.[1];
  expect(welcome).toMatchObject({ gen: 1, resumed: false });
  await post(server.url, lines(postFrame(welcome), requestFrame(1, 'a')));
  expect(await body.next()).toEqual([19, 1, 'a']);
  server.app.broadcast(1, 'news');
  expect(await body.next()).toEqual([16, 1, 1, 0, 'news']);
});

it('pings, and is ended as silent when nothing is heard', async () => {
  const server = await serve();
  const body = await openStream(server.url);
  const welcome = (await body.next())?.[1];
  // The client is known from here on, so that the session is not given up as never heard of.
  await post(server.url, lines(postFrame(welcome), [2, 0]));
  server.clock.advance(10_000);
  expect(await body.next()).toEqual([1, expect.any(Number), 0]);
  server.clock.advance(10_000);
  expect(await body.next()).toEqual([1, expect.any(Number), 0]);
  server.clock.advance(5_000);
  expect((await body.next())?.slice(0, 2)).toEqual([4, 'silent']);
  expect(await body.next()).toBeNull();
  expect(server.gateway.registry.size).toBe(1);
});

it('hears its client by POST', async () => {
  const server = await serve();
  const body = await openStream(server.url);
  const welcome = (await body.next())?.[1];
  for (let n = 1; n <= 4; n += 1) {
    server.clock.advance(9_000);
    await post(server.url, lines(postFrame(welcome, { n, rx: 0 }), [2, 0]));
  }
  expect(server.gateway.registry.linkCount).toBe(1);
});

it('moves an equal opening to the newest body and ends the older', async () => {
  const server = await serve();
  const first = await openStream(server.url);
  const sid = (await first.next())?.[1].sid;
  const second = await openStream(server.url);
  expect((await second.next())?.[1].sid).toBe(sid);
  expect((await first.next())?.slice(0, 2)).toEqual([4, 'superseded']);
  expect(await first.next()).toBeNull();
  server.app.broadcast(1, 'news');
  expect(await second.next()).toEqual([16, 1, 1, 0, 'news']);
  expect(server.gateway.registry.linkCount).toBe(1);
});

it('answers a fenced opening and ends', async () => {
  const server = await serve();
  const { key } = await attachByPoll(server, { gen: 5 });
  const body = await openStream(server.url, { key, gen: 3 });
  expect(await body.next()).toEqual([8, 5]);
  expect(await body.next()).toBeNull();
  expect(server.gateway.registry.linkCount).toBe(0);
});

it('resumes on the next link what an aborted body did not bring', async () => {
  const server = await serve();
  const body = await openStream(server.url);
  const welcome = (await body.next())?.[1];
  const gone = new Promise<void>((resolve) => {
    server.app.reachable = (_session, reachable) => reachable || resolve();
  });
  body.abort();
  await gone;
  server.app.broadcast(1, 'news');
  const socket = await TestSocket.open(server);
  expect(await socket.attach({ key: welcome.key, gen: 2, rx: 0 })).toMatchObject({ resumed: true, base: 0 });
  expect(await socket.next()).toEqual([16, 1, 1, 0, 'news']);
});

it('is probed by a token that comes back up while the body is open', async () => {
  const server = await serve();
  const body = await Body.open(server.url, lines([6, 'nonce']));
  const [type, nonce, token] = (await body.next()) ?? [];
  expect([type, nonce]).toEqual([7, 'nonce']);
  expect((await post(server.url, lines([12, token]))).frames).toEqual([[12]]);
  expect([await body.next(), await body.next(), await body.next()]).toEqual([[12], [13], null]);
  // A token is good once.
  expect((await post(server.url, lines([12, token]))).frames[0]?.slice(0, 2)).toEqual([4, 'transport_unavailable']);
  expect(server.gateway.registry.size).toBe(0);
});

it('ends a probe whose token does not come back', async () => {
  const server = await serve();
  const body = await Body.open(server.url, lines([6, 'nonce']));
  const token = (await body.next())?.[2];
  server.clock.advance(10_000);
  expect([await body.next(), await body.next()]).toEqual([[13], null]);
  expect((await post(server.url, lines([12, token]))).frames[0]?.[1]).toBe('transport_unavailable');
  expect(server.clock.pending).toBe(0);
});

it('takes no more than drains, and goes on from there', async () => {
  const server = await serve({ limits: { batchBytes: 65_536 } });
  const body = await openStream(server.url);
  const welcome = (await body.next())?.[1];
  const data = 'x'.repeat(50_000);
  for (let offset = 1; offset <= 80; offset += 1) server.app.broadcast(offset, data);
  for (let offset = 1; offset <= 80; offset += 1) expect((await body.next())?.[2]).toBe(offset);
  await post(server.url, lines(postFrame(welcome, { rx: 80 })));
  expect(server.app.session.ledger.acked).toBe(80);
});
