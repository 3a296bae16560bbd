import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { Chunks } from '../../src/transports/chunks.ts';
import { NodeCall } from '../../src/transports/node-call.ts';
import { RawConnection } from './clients.ts';
import { listen } from './test-server.ts';

const HEADERS = ['Content-Type', 'text/plain'];
const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

/** Pieces of many lengths, none like another. */
const PIECES = Array.from({ length: 200 }, (_, i) => Buffer.from(`${i}:${'ŷ'.repeat((i * 37) % 900)}\n`));
const ALL = Buffer.concat(PIECES).toString();

/** A server that opens an answer to each request and hands it over. */
async function serve(answer: (call: NodeCall, response: ServerResponse, request: IncomingMessage) => unknown) {
  const server = createServer(
    (incoming, response) => void answer(new NodeCall(incoming, response), response, incoming),
  );
  return listen(server);
}

async function writePieces(call: NodeCall): Promise<void> {
  call.open(200, HEADERS);
  for (const [i, piece] of PIECES.entries()) {
    call.write(piece);
    if (i % 7 === 0) await new Promise(setImmediate);
    if (i % 5 === 0) await undefined;
  }
  call.end();
}

async function get(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/`)).text();
}

it('brings all that was written, in order, and the end', async () => {
  const port = await serve(writePieces);
  expect(await get(port)).toBe(ALL);
  // On the same connection too.
  expect(await get(port)).toBe(ALL);
});

it('writes a chunk in one piece', async () => {
  let call: NodeCall | undefined;
  const port = await serve((made) => {
    call = made;
    made.open(200, HEADERS);
    made.write(Buffer.from('first'));
  });
  const raw = new RawConnection(port);
  raw.write(GET);
  await raw.until('\r\n5\r\nfirst\r\n');
  const arrived = once(raw.socket, 'data');
  call?.write(Buffer.from('0123456789abcdef'));
  expect(String((await arrived)[0])).toBe('10\r\n0123456789abcdef\r\n');
  call?.end();
  await raw.until('\r\n0\r\n\r\n');
});

it('waits for the answers to earlier requests on the connection', async () => {
  const calls: NodeCall[] = [];
  const port = await serve((call) => calls.push(call));
  const raw = new RawConnection(port);
  raw.write(GET + GET);
  while (calls.length < 2) await new Promise(setImmediate);
  const [first, second] = calls as [NodeCall, NodeCall];
  second.open(200, HEADERS);
  for (const piece of ['a', 'b', 'c']) second.write(Buffer.from(piece));
  first.open(200, HEADERS);
  for (const piece of ['x', 'y']) first.write(Buffer.from(piece));
  first.end();
  await new Promise(setImmediate);
  second.write(Buffer.from('d'));
  second.end();
  const received = await raw.until('d\r\n0\r\n\r\n');
  expect(received.match(/^[a-dxy]$/gm)).toEqual(['x', 'y', 'a', 'b', 'c', 'd']);
});

it('keeps the order where the answer is corked', async () => {
  const port = await serve(async (call, response) => {
    call.open(200, HEADERS);
    call.write(Buffer.from('a'));
    await new Promise(setImmediate);
    response.cork();
    call.write(Buffer.from('b'));
    response.write('c');
    call.write(Buffer.from('d'));
    response.uncork();
    call.write(Buffer.from('e'));
    call.end();
  });
  expect(await get(port)).toBe('abcde');
});

it('goes by a middleware that wants to see what is written', async () => {
  const seen: string[] = [];
  const port = await serve(async (call, response) => {
    const { write } = response;
    response.write = ((bytes: Buffer) => {
      seen.push(String(bytes));
      return write.call(response, bytes, 'utf8');
    }) as typeof write;
    call.open(200, HEADERS);
    for (const piece of ['a', 'b', 'c']) {
      call.write(Buffer.from(piece));
      await new Promise(setImmediate);
    }
    call.end();
  });
  expect(await get(port)).toBe('abc');
  expect(seen).toEqual(['a', 'b', 'c']);
});

it('writes bytes as they are where there are no chunks', async () => {
  const port = await serve(writePieces);
  const raw = new RawConnection(port);
  raw.write('GET / HTTP/1.0\r\nHost: x\r\n\r\n');
  await raw.ended;
  const body = raw.received.slice(raw.received.indexOf('\r\n\r\n') + 4);
  expect(Buffer.from(body, 'latin1').toString()).toBe(ALL);
});

it('goes by HTTP/2 where that carries it', async () => {
  const server = createHttp2Server((incoming, response) => {
    void writePieces(new NodeCall(incoming as unknown as IncomingMessage, response as unknown as ServerResponse));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  expect(await text(client.request({ ':path': '/' }))).toBe(ALL);
});

it('says when what was written has drained, and counts it until then', async () => {
  const drained: number[] = [];
  let call: NodeCall | undefined;
  const port = await serve((made) => {
    call = made;
    made.listener = { handleClosed() {}, handleDrain: () => void drained.push(made.unsentBytes) };
    made.open(200, HEADERS);
    made.write(Buffer.from('first'));
  });
  const answered = request({ port, host: '127.0.0.1' });
  answered.end();
  const [incoming] = (await once(answered, 'response')) as [IncomingMessage];
  const piece = Buffer.alloc(65_536, 'x');
  let bytes = 5;
  // More than the kernel holds for two ends of a connection.
  for (; bytes < 20_000_000; bytes += piece.length) call?.write(piece);
  expect(call?.unsentBytes).toBeGreaterThan(1_000_000);
  expect(drained).toEqual([]);
  let got = 0;
  incoming.on('data', (chunk: Buffer) => {
    got += chunk.length;
  });
  while (got < bytes) await once(incoming, 'data');
  expect(drained).toEqual([0]);
  call?.end();
  await once(incoming, 'end');
});

it('makes a chunk once for all that are sent the same bytes', () => {
  const chunks = new Chunks();
  const [one, two] = [Buffer.from('one'), Buffer.from('three hundred'.repeat(30))];
  expect(chunks.of(one).toString()).toBe('3\r\none\r\n');
  expect(chunks.of(one)).toBe(chunks.of(one));
  expect(chunks.of(two).toString()).toBe(`186\r\n${two}\r\n`);
  expect(chunks.of(one).toString()).toBe('3\r\none\r\n');
});
