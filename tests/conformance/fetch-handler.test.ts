/** The fetch handler behind what calls such handlers: a plain loop, Hono, and the route files of Next.js. There is no WebSocket anywhere here. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import type { Transport } from '@runnel/client';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import {
  Collector,
  type ConnectOptions,
  collect,
  condition,
  connect,
  failureOf,
  IN_ORDER,
  OrderedLog,
  roomOf,
  settled,
  type TestClient,
  TestServer,
  textsOf,
  userNamed,
} from './harness.ts';

type Handler = (request: Request) => Promise<Response>;

/** Connects a client to a handler in the same process. */
function connectTo(handler: Handler, server: TestServer, options: ConnectOptions = {}): TestClient {
  const environment = {
    fetch: (url: string, init: RequestInit) => handler(new Request(url, init)),
    WebSocket: null,
    loadWebSocket: () => Promise.reject(new Error('there is none')),
  };
  return connect(server, { ...options, environment });
}

/** A server of Hono's that has a route for ours. */
async function serveByHono(server: TestServer): Promise<{ readonly port: number; readonly url: string }> {
  const app = new Hono();
  app.all('/realtime', (context) => server.realtime.fetchHandler(context.req.raw));
  app.get('/realtime/events', (context) => server.realtime.fetchHandler(context.req.raw));
  const http = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
  if (!http.listening) await once(http, 'listening');
  onTestFinished(async () => {
    await server.emptied();
    if ('closeAllConnections' in http) http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  const { port } = http.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}/realtime` };
}

/** A route file of Next.js, and what Next.js does with it. */
function nextRoute({ realtime }: TestServer): Handler {
  const { GET, POST, OPTIONS } = {
    GET: realtime.fetchHandler,
    POST: realtime.fetchHandler,
    OPTIONS: realtime.fetchHandler,
  };
  const route: Record<string, (request: Request, context: { params: Promise<object> }) => Promise<Response>> = {
    GET,
    POST,
    OPTIONS,
  };
  return async (request) => {
    const handler = route[request.method];
    if (handler === undefined) return new Response(null, { status: 405 });
    return handler(request, { params: Promise.resolve({ runnel: [] }) });
  };
}

/** What a client is connected through. */
const WAYS: [string, (server: TestServer, options: ConnectOptions) => Promise<TestClient>][] = [
  ['in process', async (server, options) => connectTo(server.realtime.fetchHandler, server, options)],
  ['by Hono', async (server, options) => connect(await serveByHono(server), options)],
  ['by a route of Next.js', async (server, options) => connectTo(nextRoute(server), server, options)],
];

/** What is asked for, and what is used in the end. */
const CASES: [string, Transport[], Transport][] = [
  ['stream', ['stream'], 'stream'],
  ['poll', ['poll'], 'poll'],
  ['the default transports', ['websocket', 'stream', 'poll'], 'stream'],
];

describe.each(WAYS)('%s', (_way, open) => {
  describe.each(CASES)('over %s', (_over, transports, used) => {
    it('carries publishes, messages and requests', async () => {
      const server = await TestServer.start();
      const client = await open(server, { transports });
      const texts = textsOf(roomOf(client));
      await roomOf(client).publish('message', { text: 'hi' });
      await texts.count(1);
      await settled(client, [used]);
      await roomOf(client).publish('message', { text: 'é'.repeat(200_000) });
      await texts.count(2);
      expect(texts.items.map((text) => text.length)).toEqual([2, 200_000]);
      const bytes = Uint8Array.of(0, 1, 255);
      expect(await roomOf(client).request('ask', { bytes })).toEqual({ bytes });
      expect(client.state).toMatchObject({ status: 'open', transport: used });
    });

    it('loses, repeats and mixes up nothing under load', async () => {
      const server = await TestServer.start();
      const client = await open(server, { transports });
      const log = new OrderedLog();
      const room = roomOf(client);
      room.on('message', ({ n = -1 }) => log.add(n));
      await room.ready();
      const count = 300;
      await Promise.all(
        Array.from({ length: count }, (_, n) => room.publish('message', { text: 'x'.repeat(n * 20 + 1), n })),
      );
      await log.reach(count);
      expect(log.disorder(count)).toEqual(IN_ORDER);
    });

    it('refuses whom authenticate refuses', async () => {
      const server = await TestServer.start({ authenticate: () => null });
      const client = await open(server, { transports });
      expect(await failureOf(client.connect())).toMatchObject({ code: 'unauthorized' });
    });

    it('says goodbye, and leaves nothing behind', async () => {
      const server = await TestServer.start();
      const client = await open(server, { transports });
      await roomOf(client).ready();
      await settled(client, [used]);
      await client.close();
      await server.emptied();
      expect(server.ended.items).toMatchObject([{ code: 'closed' }]);
    });
  });
});

it('answers a handshake by Hono with 426, and a preflight', async () => {
  const server = await TestServer.start({ origins: ['https://app.example'] });
  const { url } = await serveByHono(server);
  const socket = new WebSocket(url.replace('http', 'ws'));
  const [, handshake] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  expect(handshake.statusCode).toBe(426);
  handshake.destroy();
  const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://app.example' } });
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
    204,
    'https://app.example',
  ]);
  const foreign = await fetch(url, { method: 'POST', body: 'x', headers: { origin: 'https://evil.example' } });
  expect(foreign.status).toBe(403);
});

it('notices by Hono when a client goes without a word', async () => {
  const server = await TestServer.start({ leavesSessions: true });
  const { url } = await serveByHono(server);
  const abort = new AbortController();
  const attach = { v: 1, cid: 'c', gen: 1, rx: 0, mode: 'stream', auth: { user: 'ann' } };
  const body = `${JSON.stringify([0, attach])}\n`;
  const response = await fetch(url, { method: 'POST', body, signal: abort.signal });
  await response.body?.getReader().read();
  expect(server.realtime.stats().links).toBe(1);
  abort.abort();
  await condition('the link is gone', () => server.realtime.stats().links === 0);
});

it('feeds readers without the SDK by Hono, and notices when they go', async () => {
  const server = await TestServer.start();
  const { url } = await serveByHono(server);
  const abort = new AbortController();
  const response = await fetch(`${url}/events?channel=room/lobby`, { signal: abort.signal });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>)
    .pipeThrough(new TextDecoderStream())
    .getReader();
  let text = '';
  const until = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted)) text += (await reader.read()).value ?? '';
  };
  await until('$subscribed');
  await server.realtime.channel('room/:roomId', { roomId: 'lobby' }).broadcast('message', { text: 'hi' });
  await until('event: message\n');
  await until('data: {"text":"hi"}\n\n');
  abort.abort();
  await server.emptied();
  const refused = await fetch(`${url}/events?channel=rooms`);
  expect([refused.status, await refused.json()]).toMatchObject([404, { code: 'unknown_channel' }]);
});

describe('fetchAs', () => {
  it('connects whom the app knows, and asks nobody', async () => {
    const asked: unknown[] = [];
    const server = await TestServer.start({
      authenticate: ({ auth }) => {
        asked.push(auth);
        return null;
      },
    });
    const as = (id: string) => connectTo((request) => server.realtime.fetchAs(userNamed(id), request), server);
    const [ann, bob] = [as('ann'), as('bob')];
    const messages = collect<{ text: string }>((push) => roomOf(bob).on('message', push));
    await roomOf(bob).ready();
    server.onMessage = ({ channel, data, user }) =>
      void channel.broadcast('message', { text: `${user.name}: ${data.text}` });
    await roomOf(ann).publish('message', { text: 'hi' });
    expect((await messages.count(1)).map(({ data }) => data.text)).toEqual(['ANN: hi']);
    expect(asked).toEqual([]);
  });

  it('goes on when credentials would have expired, for whoever is let through has been asked', async () => {
    const server = await TestServer.start({ authenticate: () => null });
    // Read when the session is opened, and whenever its credentials are fresh.
    const reads = new Collector<void>();
    const user = Object.defineProperty(userNamed('ann'), 'expiresInMs', {
      get: () => {
        reads.push();
        return 4_000;
      },
    });
    const handler: Handler = (request) => server.realtime.fetchAs(user, request);
    const client = connectTo(handler, server, { transports: ['poll'], auth: () => 'fresh' });
    for (let refreshes = 1; refreshes < 4; refreshes += 1) {
      await reads.count(refreshes);
      expect(await roomOf(client).request('ask', 'still there?')).toBe('still there?');
      server.clock.leap(3_000);
    }
    await reads.count(4);
    expect(await roomOf(client).request('ask', 'still there?')).toBe('still there?');
    expect(server.ended.items).toEqual([]);
  });

  it('needs to be told who it is', async () => {
    const server = await TestServer.start();
    const request = new Request(server.url, { method: 'POST', body: 'x' });
    await expect(server.realtime.fetchAs({} as never, request)).rejects.toThrow(TypeError);
  });
});
