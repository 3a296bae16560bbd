import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { TestSocket } from './clients.ts';
import { serve } from './test-server.ts';

it('takes no more than drains, and goes on from there', async () => {
  // More than the kernel holds for two ends of a connection.
  const messages = 600;
  const server = await serve({ limits: { outboxBytes: 67_108_864 } });
  const socket = await TestSocket.open(server);
  await socket.attach();
  socket.ws.pause();
  const data = 'x'.repeat(50_000);
  for (let offset = 1; offset <= messages; offset += 1) server.app.broadcast(offset, data);
  await new Promise(setImmediate);
  const { link, ledger } = server.app.session;
  expect(link?.port.congested).toBe(true);
  expect(link?.next).toBeLessThan(ledger.tx);
  socket.ws.resume();
  for (let offset = 1; offset <= messages; offset += 1) expect((await socket.next())?.[2]).toBe(offset);
});

it('keeps within its bounds what a client asks for and does not read', async () => {
  const server = await serve();
  const socket = await TestSocket.open(server);
  await socket.attach();
  socket.ws.pause();
  const nonce = 'n'.repeat(64);
  const batch = Array.from({ length: 5_000 }, () => `[6,"${nonce}"]`).join('\n');
  const cut = new Promise<void>((resolve) => {
    server.app.reachable = (_session, reachable) => reachable || resolve();
  });
  let sent = true;
  void cut.then(() => {
    sent = false;
  });
  while (sent && socket.ws.readyState === WebSocket.OPEN) {
    await new Promise((resolve) => socket.ws.send(batch, resolve));
  }
  await cut;
  expect(server.gateway.registry.linkCount).toBe(0);
});

it('goes on when it is pongs that have drained', async () => {
  const server = await serve();
  const socket = await TestSocket.open(server);
  await socket.attach();
  const { link } = server.app.session;
  socket.ws.pause();
  while (link?.port.congested === false) {
    for (let pings = 0; pings < 100; pings += 1) socket.ws.ping(Buffer.alloc(125));
    await new Promise(setImmediate);
  }
  server.app.broadcast(1, 'news');
  await new Promise(setImmediate);
  socket.ws.resume();
  expect(await socket.next()).toEqual([16, 1, 1, 0, 'news']);
});
