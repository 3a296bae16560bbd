import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import type { ClientOptions } from 'ws';
import { sharedLine } from '../../src/shared-line.ts';
import { attachFrame, RawConnection, requestFrame, TestSocket } from './clients.ts';
import { serve, type TestServer } from './test-server.ts';

const LONG = 'all the same '.repeat(1_000);

async function join(server: TestServer, options: ClientOptions = {}): Promise<TestSocket> {
  const socket = await TestSocket.open(server, {}, options);
  await socket.attach({ cid: `c${server.app.sessions.length}` });
  return socket;
}

/** A WebSocket by hand. Resolves when the handshake is answered and the welcome has come. */
async function attachByHand({ port, app }: TestServer, extensions: string): Promise<RawConnection> {
  const raw = new RawConnection(port);
  raw.write(
    'GET /realtime HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: ${extensions}\r\n\r\n`,
  );
  await raw.until('\r\n\r\n');
  const payload = Buffer.from(JSON.stringify(attachFrame({ mode: 'websocket', cid: `raw${app.sessions.length}` })));
  // A mask of zeros leaves the payload as it is.
  raw.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  await raw.until('[0,{');
  return raw;
}

it('is negotiated where it is on and the client offers it', async () => {
  const server = await serve({ compression: true });
  const socket = await join(server);
  expect(socket.ws.extensions).toBe('permessage-deflate');
  const without = await join(server, { perMessageDeflate: false });
  expect(without.ws.extensions).toBe('');
});

it('is off by default', async () => {
  const socket = await join(await serve());
  expect(socket.ws.extensions).toBe('');
});

it('tells clients that no message needs another, and compresses the long ones only', async () => {
  const server = await serve({ compression: true });
  const raw = await attachByHand(server, 'permessage-deflate');
  expect(raw.received).toContain(
    '\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n',
  );
  const before = raw.received.length;
  const short = server.app.broadcast(1, 'x'.repeat(1_000));
  await raw.until(short.text);
  const long = server.app.broadcast(2, LONG);
  await raw.until(long.compressedFrame.toString('latin1'));
  expect(raw.received.charCodeAt(before)).toBe(0x81);
  expect(long.compressedFrame[0]).toBe(0xc1);
  expect(long.compressedFrame.length).toBeLessThan(200);
});

it('brings a broadcast to everybody, whether they take it compressed or not', async () => {
  const server = await serve({ compression: { thresholdBytes: 0 } });
  const sockets = [await join(server), await join(server, { perMessageDeflate: false }), await join(server)];
  server.app.broadcast(1, LONG);
  for (const socket of sockets) expect(await socket.next()).toEqual([16, 1, 1, 0, LONG]);
  server.app.broadcast(2, 'short');
  server.app.broadcast(3, LONG);
  server.app.broadcast(4, 'ŷ'.repeat(3_000));
  server.app.broadcast(5, '');
  const offsets = async (socket: TestSocket) => {
    const got: unknown[] = [];
    while (got.length < 4) got.push((await socket.next())?.slice(2, 5));
    return got;
  };
  for (const socket of sockets)
    expect(await offsets(socket)).toEqual([
      [2, 0, 'short'],
      [3, 0, LONG],
      [4, 0, 'ŷ'.repeat(3_000)],
      [5, 0, ''],
    ]);
});

it.each([
  'permessage-deflate; server_max_window_bits=9',
  'permessage-deflate; made_up',
  'permessage-deflate; client_max_window_bits; client_max_window_bits=10',
  'x-webkit-deflate-frame',
])('declines %s, and takes another offer beside it', async (offer) => {
  const server = await serve({ compression: true });
  const declined = await attachByHand(server, offer);
  expect(declined.received).not.toMatch(/sec-websocket-extensions/i);
  const { text } = server.app.broadcast(1, LONG);
  await declined.until(text);
  const raw = await attachByHand(server, `${offer}, permessage-deflate; client_max_window_bits=10`);
  expect(raw.received).toMatch(/sec-websocket-extensions: permessage-deflate;/i);
});

it('sends as it is what compression does not make smaller', () => {
  const line = sharedLine('[7,"abcdefgh"]');
  expect(line.compressedFrame).toBe(line.frame);
});

it('reads what clients compress, in fragments too, and answers pings in between', async () => {
  const server = await serve({ compression: true });
  const socket = await join(server, { perMessageDeflate: { threshold: 0 } });
  socket.send(requestFrame(1, LONG));
  expect(await socket.next()).toEqual([19, 1, LONG]);
  const text = JSON.stringify(requestFrame(2, LONG));
  const pong = once(socket.ws, 'pong');
  socket.ws.send(text.slice(0, 5_000), { fin: false, compress: true });
  socket.ws.ping('now');
  socket.ws.send(text.slice(5_000, 5_001), { fin: false, compress: true });
  socket.ws.send(text.slice(5_001), { fin: true, compress: true });
  expect(await socket.next()).toEqual([19, 2, LONG]);
  expect(String((await pong)[0])).toBe('now');
});

it('writes compressed frames, plain ones and pongs beside each other, whole', async () => {
  const server = await serve({ compression: true });
  const socket = await join(server);
  const pongs: string[] = [];
  socket.ws.on('pong', (data) => pongs.push(String(data)));
  for (let offset = 1; offset <= 50; offset += 1) {
    socket.ws.ping(String(offset));
    socket.send(requestFrame(offset, `${offset} ${LONG}`));
    server.app.broadcast(offset, `${LONG} ${offset}`);
    if (offset % 7 === 0) await new Promise(setImmediate);
  }
  const messages: unknown[] = [];
  const results: unknown[] = [];
  while (messages.length + results.length < 100) {
    const frame = await socket.next();
    if (frame?.[0] === 16) messages.push(frame[4]);
    else results.push(frame?.[2]);
  }
  const numbers = Array.from({ length: 50 }, (_, i) => i + 1);
  expect(messages).toEqual(numbers.map((offset) => `${LONG} ${offset}`));
  expect(results).toEqual(numbers.map((offset) => `${offset} ${LONG}`));
  expect(pongs).toEqual(numbers.map(String));
});

it('takes no more than drains, and goes on from there', async () => {
  const messages = 400;
  const server = await serve({ compression: true, limits: { outboxBytes: 67_108_864 } });
  const socket = await join(server);
  socket.ws.pause();
  // Hexadecimal digits shrink to about a half.
  const data = Array.from({ length: messages }, () => randomBytes(30_000).toString('hex'));
  for (const [i, one] of data.entries()) server.app.broadcast(i + 1, one);
  await new Promise(setImmediate);
  const { link, ledger } = server.app.session;
  expect(link?.port.congested).toBe(true);
  expect(link?.next).toBeLessThan(ledger.tx);
  socket.ws.resume();
  for (const [i, one] of data.entries()) expect(await socket.next()).toEqual([16, 1, i + 1, 0, one]);
});

it('closes after what was written', async () => {
  const server = await serve({ compression: true });
  const socket = await join(server);
  server.app.broadcast(1, LONG);
  server.app.session.end('kicked', 'out', server.clock.now());
  expect(await socket.next()).toEqual([16, 1, 1, 0, LONG]);
  expect((await socket.next())?.slice(0, 3)).toEqual([4, 'kicked', 'out']);
  expect((await socket.closed).reason).toBe('out');
});

it('takes no compressed frame where that was not agreed, nor in the middle of a message', async () => {
  const server = await serve({ compression: true });
  const plain = await attachByHand(server, 'none');
  const compressed = Buffer.from([0xc1, 0x80, 0, 0, 0, 0]);
  plain.write(compressed);
  await plain.ended;
  const raw = await attachByHand(server, 'permessage-deflate');
  raw.write(Buffer.from([0x41, 0x80, 0, 0, 0, 0, 0xc0, 0x80, 0, 0, 0, 0]));
  await raw.ended;
  expect(server.app.ends).toEqual(['protocol_error', 'protocol_error']);
});

it('ends the session of a client whose message cannot be inflated, or is too long when it is', async () => {
  const server = await serve({ compression: true });
  const raw = await attachByHand(server, 'permessage-deflate');
  raw.write(Buffer.from([0xc1, 0x84, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]));
  await raw.ended;
  expect(server.app.ends).toEqual(['protocol_error']);
  const socket = await join(server, { perMessageDeflate: { threshold: 0 } });
  socket.ws.send('x'.repeat(5_000_000));
  await socket.closed;
  expect(server.app.ends).toEqual(['protocol_error', 'frame_too_large']);
  expect(server.errors).toEqual([]);
});

it.each([-1, 0.5, Number.NaN])('refuses a threshold of %d bytes', async (thresholdBytes) => {
  await expect(serve({ compression: { thresholdBytes } })).rejects.toThrow(RangeError);
});
