import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { realtimePath } from '../../src/realtime-path.ts';
import { BadNetwork } from '../../src/server/bad-network.ts';

const LONG_MS = 60_000;
let network: BadNetwork;
let server: Server;
/** What the server has been handed, in order. */
let answers: ServerResponse[];
let upgraded: Duplex[];
const clients: Socket[] = [];

beforeEach(async () => {
  network = new BadNetwork(100);
  answers = [];
  upgraded = [];
  server = createServer((request, response) => {
    if (network.takeRequest(request, response)) return;
    answers.push(response);
    response.write('first ');
    server.emit('answering');
  });
  server.on('upgrade', (request, socket) => {
    const passage = network.takeUpgrade(request, socket);
    if (passage === null) return;
    upgraded.push(passage);
    passage.on('data', (bytes) => passage.write(`heard ${bytes}`));
    passage.on('end', () => passage.end());
    passage.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  network.close();
  for (const client of clients.splice(0)) client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** All that has come over a connection, and what became of it. */
class Link {
  readonly socket: Socket;
  text = '';

  constructor(headers: string, tab = 'mine') {
    this.socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    clients.push(this.socket);
    this.socket.on('data', (bytes) => {
      this.text += String(bytes);
    });
    this.socket.on('error', () => {});
    this.socket.write(`POST ${realtimePath}?tab=${tab} HTTP/1.1\r\nHost: demo\r\n${headers}\r\n`);
  }

  async has(part: string): Promise<void> {
    while (!this.text.includes(part)) await once(this.socket, 'data');
  }

  async reset(): Promise<string | undefined> {
    const [error] = (await once(this.socket, 'error')) as [NodeJS.ErrnoException];
    return error.code;
  }
}

const webSocket = (tab?: string) => new Link('Connection: Upgrade\r\nUpgrade: websocket\r\n', tab);
const post = (tab?: string) => new Link('Content-Length: 0\r\n', tab);

async function opened(link: Link, part = '101'): Promise<Link> {
  await link.has(part);
  return link;
}

it('lets all pass until it is told otherwise', async () => {
  const socket = await opened(webSocket());
  socket.socket.write('hello');
  await socket.has('heard hello');
  await opened(post(), 'first');
});

it('leaves the connections of everybody else alone', async () => {
  const theirs = await opened(webSocket('theirs'));
  network.strike('mine', 'blocked', LONG_MS);
  theirs.socket.write('hello');
  await theirs.has('heard hello');
  await opened(webSocket('theirs'));
});

describe('blocks WebSocket', () => {
  it('cuts what is open, refuses what comes, and lets requests pass', async () => {
    const socket = await opened(webSocket());
    const reset = socket.reset();
    network.strike('mine', 'no-websocket', LONG_MS);
    expect(await reset).toBe('ECONNRESET');
    await webSocket().has('HTTP/1.1 400');
    await post().has('first');
  });

  it('until it is mended', async () => {
    network.strike('mine', 'no-websocket', LONG_MS);
    network.mend('mine');
    await opened(webSocket());
  });

  it('until its time is over', async () => {
    network.strike('mine', 'no-websocket', 30);
    // Refused for as long as it lasts.
    for (let link = webSocket(); ; link = webSocket()) {
      await link.has('HTTP/1.1');
      if (link.text.includes('101')) break;
    }
  });
});

it('holds an answer back until it is whole', async () => {
  network.strike('mine', 'held', LONG_MS);
  const answering = once(server, 'answering');
  const link = post();
  await answering;
  // What is not held back has come by then.
  await post('theirs').has('first');
  expect(link.text).toBe('');
  answers[0]?.end('last');
  await link.has('last');
  expect(link.text).toContain('first ');
});

it('lets an answer that was held back go on when it is mended', async () => {
  network.strike('mine', 'held', LONG_MS);
  const answering = once(server, 'answering');
  const link = post();
  await answering;
  network.mend('mine');
  await link.has('first ');
  answers[0]?.write('second');
  await link.has('second');
});

describe('goes silent', () => {
  it('on what is open, without a word to either end, and cuts it at last', async () => {
    const socket = await opened(webSocket());
    const answer = await opened(post(), 'first');
    const ended: string[] = [];
    socket.socket.on('close', () => ended.push('client'));
    upgraded[0]?.on('close', () => ended.push('server'));
    network.strike('mine', 'silent', LONG_MS);
    socket.socket.write('hello');
    upgraded[0]?.write('anybody?');
    answers[0]?.end('last');
    // Another tab's message is on its way later, and comes.
    const theirs = await opened(webSocket('theirs'));
    theirs.socket.write('hello');
    await theirs.has('heard hello');
    expect(socket.text).not.toMatch(/anybody|heard/);
    expect(answer.text).not.toContain('last');
    expect(ended).toEqual([]);
    const resets = Promise.all([socket.reset(), answer.reset()]);
    network.mend('mine');
    expect(await resets).toEqual(['ECONNRESET', 'ECONNRESET']);
  });

  it('on what comes too, but not where the network was changed for another', async () => {
    network.strike('mine', 'silent', LONG_MS);
    const waiting = [webSocket(), post()];
    const resets = Promise.all(waiting.map((link) => link.reset()));
    await opened(webSocket('theirs'));
    expect(waiting.map(({ text }) => text)).toEqual(['', '']);
    network.strike('mine', 'changed', LONG_MS);
    expect(await resets).toEqual(['ECONNRESET', 'ECONNRESET']);
    await opened(webSocket());
    await post().has('first');
  });
});

it('swallows requests, and lets WebSocket pass', async () => {
  network.strike('mine', 'no-posts', LONG_MS);
  const swallowed = post();
  await opened(webSocket());
  await post('theirs').has('first');
  expect(swallowed.text).toBe('');
  expect(answers).toHaveLength(1);
});

it('answers in the place of the server, as a captive portal does', async () => {
  const socket = await opened(webSocket());
  const reset = socket.reset();
  network.strike('mine', 'captive', LONG_MS);
  await reset;
  await post().has('Accept the terms');
  await webSocket().has('HTTP/1.1 200');
  expect(answers).toEqual([]);
});

it('cuts again and again', async () => {
  network.strike('mine', 'cuts', LONG_MS);
  expect(await (await opened(webSocket())).reset()).toBe('ECONNRESET');
  expect(await (await opened(post(), 'first')).reset()).toBe('ECONNRESET');
});

it('resets whatever is tried where all is blocked', async () => {
  network.strike('mine', 'blocked', LONG_MS);
  expect(await webSocket().reset()).toBe('ECONNRESET');
  expect(await post().reset()).toBe('ECONNRESET');
});
