import { expect, it, onTestFinished, vi } from 'vitest';
import { RawConnection } from './clients.ts';
import { clientFrame, textFrame } from './frames.ts';
import { serve, type TestServer } from './test-server.ts';

const HANDSHAKE =
  'GET /realtime HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A WebSocket of which only what came behind the handshake is shown. */
async function open(server: TestServer, behind: Uint8Array = Buffer.alloc(0)): Promise<RawConnection> {
  const raw = new RawConnection(server.port);
  raw.write(Buffer.concat([Buffer.from(HANDSHAKE), behind]));
  const head = await raw.until('\r\n\r\n');
  // The example of RFC 6455 §1.3.
  expect(head).toContain('\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
  raw.received = raw.received.slice(raw.received.indexOf('\r\n\r\n') + 4);
  return raw;
}

/** Resolves when the server has let go of all but `count` sockets. */
async function left(server: TestServer, count: number): Promise<void> {
  while (server.gateway.carrierCount > count) await new Promise(setImmediate);
}

const CLOSED_NORMALLY = '\x88\x02\x03\xe8';
const closing = clientFrame({ opcode: 8, payload: Buffer.from([3, 232]) });

it('reads what came together with the handshake', async () => {
  const raw = await open(await serve(), textFrame('[6,"nonce"]'));
  await raw.until('[7,"nonce"]');
});

it('answers a ping with the same data, and a pong with nothing', async () => {
  const raw = await open(await serve());
  raw.write(clientFrame({ opcode: 10, payload: Buffer.from('unasked') }));
  raw.write(clientFrame({ opcode: 9, payload: Buffer.from('data') }));
  raw.write(textFrame('[6,"nonce"]'));
  await raw.until('[7,"nonce"]');
  expect(raw.received).toBe('\x8a\x04data\x81\x0b[7,"nonce"]');
});

it('answers a close frame by the same code, and ends the connection', async () => {
  const raw = await open(await serve());
  raw.write(closing);
  await raw.ended;
  expect(raw.received).toBe(CLOSED_NORMALLY);
});

it('answers a close frame without a code by one without', async () => {
  const raw = await open(await serve());
  raw.write(clientFrame({ opcode: 8 }));
  await raw.ended;
  expect(raw.received).toBe('\x88\x00');
});

it('ends when the client ends the connection without a word', async () => {
  const server = await serve();
  const raw = await open(server);
  raw.socket.end();
  await raw.ended;
  expect(raw.received).toBe('');
  await left(server, 0);
});

it('takes no message behind a close frame', async () => {
  const server = await serve();
  const raw = await open(server);
  raw.write(Buffer.concat([closing, textFrame('[6,"late"]')]));
  await raw.ended;
  expect(raw.received).toBe(CLOSED_NORMALLY);
});

it('says 1002 to what is no frame, and ends the connection without hearing more', async () => {
  const server = await serve();
  const raw = await open(server);
  raw.write(Buffer.concat([clientFrame({ opcode: 3 }), textFrame('[6,"late"]')]));
  await raw.ended;
  expect(raw.received).toBe('\x88\x02\x03\xea');
  await left(server, 0);
  expect(server.errors).toEqual([]);
});

it('waits for the close frame of a client that is told to go, and cuts it off where none comes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const server = await serve();
  const polite = await open(server);
  const deaf = await open(server);
  server.clock.advance(30_000);
  // 4409, superseded: neither has attached.
  await Promise.all([polite.until('\x11\x39'), deaf.until('\x11\x39')]);
  polite.write(closing);
  await polite.ended;
  await left(server, 1);
  vi.advanceTimersByTime(4_999);
  expect(deaf.socket.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  await deaf.ended;
  await left(server, 0);
});

it('cuts off who pings and does not read', async () => {
  const server = await serve();
  const raw = await open(server);
  raw.socket.pause();
  const pings = Buffer.concat(Array.from({ length: 50 }, () => clientFrame({ opcode: 9, payload: Buffer.alloc(125) })));
  const drained = (): Promise<unknown> => new Promise((resolve) => raw.socket.once('drain', resolve));
  const ended = raw.ended.catch(() => {});
  while (!raw.socket.destroyed && server.gateway.carrierCount > 0) {
    if (!raw.socket.write(pings)) await Promise.race([drained(), ended]);
    await new Promise(setImmediate);
  }
  expect(server.gateway.carrierCount).toBe(0);
});
