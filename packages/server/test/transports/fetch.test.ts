import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { attachFrame, type Frame, framesOf, lines, pollFrame, postFrame, requestFrame } from './clients.ts';
import { EventBody } from './event-client.ts';
import { gate } from './gate.ts';
import { serve, type TestServer } from './test-server.ts';

type RequestBody = NonNullable<RequestInit['body']> | null;

const URL_OF_ROUTE = 'https://app.example/api/realtime';

const requestOf = (body: RequestBody, init: RequestInit = {}) =>
  new Request(URL_OF_ROUTE, { method: 'POST', body, ...init });

async function ask({ gateway }: TestServer, body: RequestBody, init: RequestInit = {}) {
  const { status, headers, ...answer } = await read(await gateway.fetch(requestOf(body, init)));
  return { status, headers: Object.fromEntries(headers), ...answer };
}

async function read(response: Response) {
  const { status, headers } = response;
  const text = await response.text();
  return { status, headers, text, frames: framesOf(text) };
}

/** Reads a body frame by frame. */
class Reader {
  readonly response: Response;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest = '';

  constructor(response: Response) {
    this.response = response;
    this.reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  static async open({ gateway }: TestServer, ...frames: unknown[]): Promise<Reader> {
    return new Reader(await gateway.fetch(requestOf(lines(...frames))));
  }

  async next(): Promise<Frame | null> {
    for (;;) {
      const end = this.#rest.indexOf('\n');
      if (end >= 0) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return JSON.parse(line);
      }
      const { done, value } = await this.reader.read();
      if (done) return null;
      this.#rest += new TextDecoder().decode(value);
    }
  }
}

const stream = attachFrame({ mode: 'stream' });

it('carries a session by poll and POST', async () => {
  const server = await serve();
  const attached = await ask(server, lines(attachFrame()));
  expect([attached.status, attached.headers]).toMatchObject([
    200,
    {
      'content-type': 'application/octet-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'content-length': String(attached.text.length),
    },
  ]);
  const welcome = attached.frames[0]?.[1];
  const held = ask(server, lines(pollFrame(welcome, { hold: 20_000 })));
  await server.taken(1);
  const posted = await ask(server, lines(postFrame(welcome), requestFrame(1, 'a')));
  expect(posted.frames).toEqual([[11, expect.objectContaining({ rx: 1 })]]);
  expect((await held).frames.slice(1)).toEqual([[19, 1, 'a'], [13]]);
  expect(server.gateway.carrierCount).toBe(0);
});

it('streams for as long as somebody reads', async () => {
  const server = await serve();
  const reader = await Reader.open(server, stream);
  expect((await reader.next())?.[1]).toMatchObject({ gen: 1, resumed: false });
  server.app.broadcast(1, 'news');
  expect(await reader.next()).toEqual([16, 1, 1, 0, 'news']);
  const next = reader.next();
  server.app.broadcast(2, 'more');
  server.app.broadcast(3, 'and more');
  expect([await next, await reader.next()]).toEqual([
    [16, 1, 2, 0, 'more'],
    [16, 1, 3, 0, 'and more'],
  ]);
  await reader.reader.cancel();
  expect([server.gateway.registry.linkCount, server.gateway.carrierCount]).toEqual([0, 0]);
});

it('takes no more than is read, and goes on from there', async () => {
  const server = await serve({ limits: { batchBytes: 65_536, outboxBytes: 67_108_864 } });
  const reader = await Reader.open(server, stream);
  await reader.next();
  const data = 'x'.repeat(50_000);
  for (let offset = 1; offset <= 80; offset += 1) server.app.broadcast(offset, data);
  await new Promise(setImmediate);
  const { link, ledger } = server.app.session;
  expect(link?.port.congested).toBe(true);
  expect(link?.next).toBeLessThan(ledger.tx);
  for (let offset = 1; offset <= 80; offset += 1) expect((await reader.next())?.[2]).toBe(offset);
  expect(link?.port.congested).toBe(false);
});

it('hands on the last bytes of a body before its end', async () => {
  const server = await serve();
  const reader = await Reader.open(server, stream);
  await reader.next();
  server.app.broadcast(1, 'news');
  server.gateway.registry.flush(server.clock.now());
  server.app.session.end('kicked', 'out', server.clock.now());
  expect(server.gateway.carrierCount).toBe(1);
  expect((await reader.next())?.[4]).toBe('news');
  expect((await reader.next())?.slice(0, 2)).toEqual([4, 'kicked']);
  expect(await reader.next()).toBeNull();
  expect(server.gateway.carrierCount).toBe(0);
});

it('is probed by a token that comes back up while the body is open', async () => {
  const server = await serve();
  const probe = await Reader.open(server, [6, 'nonce']);
  const [, nonce, token] = (await probe.next()) ?? [];
  expect(nonce).toBe('nonce');
  expect((await ask(server, lines([12, token]))).frames).toEqual([[12]]);
  expect([await probe.next(), await probe.next(), await probe.next()]).toEqual([[12], [13], null]);
});

describe('a client that goes', () => {
  it('is noticed while its attach is authenticated', async () => {
    const asked = gate<AbortSignal>();
    const server = await serve({
      authenticate: ({ signal }) => {
        asked.open(signal);
        return new Promise(() => {});
      },
    });
    const abort = new AbortController();
    const answer = ask(server, lines(attachFrame()), { signal: abort.signal });
    const signal = await asked.passed;
    abort.abort();
    expect([signal.aborted, (await answer).status]).toEqual([true, 499]);
    expect(server.gateway.carrierCount).toBe(0);
  });

  it('is noticed while its poll is held', async () => {
    const server = await serve();
    const welcome = (await ask(server, lines(attachFrame()))).frames[0]?.[1];
    const abort = new AbortController();
    const held = ask(server, lines(pollFrame(welcome, { hold: 20_000 })), { signal: abort.signal });
    await server.taken(1);
    const left = server.left();
    abort.abort();
    await left;
    expect((await held).status).toBe(499);
    expect(server.app.session.reachable).toBe(false);
  });

  it('is noticed by its signal while it streams', async () => {
    const server = await serve();
    const abort = new AbortController();
    const reader = new Reader(await server.gateway.fetch(requestOf(lines(stream), { signal: abort.signal })));
    await reader.next();
    abort.abort();
    expect(await reader.next()).toBeNull();
    expect(server.gateway.registry.linkCount).toBe(0);
  });

  it('is noticed before it is served', async () => {
    const server = await serve();
    expect((await ask(server, lines(attachFrame()), { signal: AbortSignal.abort() })).status).toBe(499);
    expect([server.gateway.carrierCount, server.app.sessions]).toEqual([0, []]);
  });

  it('is noticed when its body breaks off', async () => {
    const server = await serve();
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(Buffer.from(lines(attachFrame())));
        controller.error(new Error('cut'));
      },
    });
    expect((await ask(server, body, { duplex: 'half' })).status).toBe(499);
    expect([server.gateway.carrierCount, server.app.sessions]).toEqual([0, []]);
  });
});

it.each<[string, number, string, RequestBody, RequestInit]>([
  ['a plain GET', 426, 'transport_unavailable', null, { method: 'GET' }],
  ['a handshake', 426, 'transport_unavailable', null, { method: 'GET', headers: { upgrade: 'websocket' } }],
  ['another method', 405, 'protocol_error', 'x', { method: 'PUT' }],
  ['what is no frame', 400, 'protocol_error', 'hello\n', {}],
  ['no body', 400, 'protocol_error', null, {}],
  ['bytes that are no text', 400, 'protocol_error', new Uint8Array([0x5b, 0xc0, 0x0a]), {}],
  ['a body that is too large', 413, 'frame_too_large', 'x'.repeat(3_000), {}],
  ['a foreign page', 403, 'forbidden_origin', lines(attachFrame()), { headers: { origin: 'https://evil.example' } }],
])('refuses %s with %i', async (_what, status, code, body, init) => {
  const server = await serve({ limits: { requestBodyBytes: 2_000 } });
  const { frames, ...answer } = await ask(server, body, init);
  expect([answer.status, frames]).toEqual([status, [[4, code, expect.any(String), 0]]]);
  expect(answer.headers).not.toHaveProperty('connection');
  expect(server.gateway.carrierCount).toBe(0);
});

it('gives up a body that is far too large without reading it', async () => {
  const server = await serve({ limits: { requestBodyBytes: 2_000 } });
  const canceled = gate();
  const body = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1_000)),
    cancel: () => canceled.open(),
  });
  expect((await ask(server, body, { duplex: 'half' })).status).toBe(413);
  await canceled.passed;
});

it('answers pages of listed origins, and its own', async () => {
  const server = await serve({ origins: ['https://other.example'] });
  const from = (origin: string, init: RequestInit = {}) =>
    ask(server, lines(attachFrame()), { headers: { origin }, ...init });
  expect((await from('https://other.example')).headers).toMatchObject({
    'access-control-allow-origin': 'https://other.example',
    'access-control-allow-credentials': 'true',
  });
  expect((await from('https://app.example')).status).toBe(200);
  const headers = { origin: 'https://other.example', 'access-control-request-headers': 'x-trace' };
  const preflight = await server.gateway.fetch(requestOf(null, { method: 'OPTIONS', headers }));
  expect([preflight.status, preflight.body, Object.fromEntries(preflight.headers)]).toMatchObject([
    204,
    null,
    { 'access-control-allow-headers': 'x-trace', 'access-control-allow-methods': 'POST' },
  ]);
});

it('gives authenticate the request, and the one it was made of', async () => {
  const seen: unknown[] = [];
  const server = await serve({
    authenticate: ({ request }) => {
      const { method, url, headers, socket } = request;
      seen.push(method, url, headers['x-app'], headers.host, socket, request.fetchRequest?.url);
      return { id: 'anna' };
    },
  });
  await ask(server, lines(attachFrame()), { headers: { 'X-App': 'yes' } });
  const socket = { remoteAddress: undefined, encrypted: true };
  expect(seen).toEqual(['POST', '/api/realtime', 'yes', 'app.example', socket, URL_OF_ROUTE]);
});

it('runs middlewares, which find a request of their kind', async () => {
  const server = await serve({
    use: [
      (request, _response, next) => {
        const { headers, socket } = request;
        const secure = 'encrypted' in socket && socket.encrypted;
        Object.assign(request, { user: { id: `${headers.cookie} ${secure} ${request.fetchRequest?.method}` } });
        request.on('end', next).resume();
      },
    ],
    authenticate: ({ request }) => request.user ?? null,
  });
  await ask(server, lines(attachFrame()), { headers: { cookie: 'a=b' } });
  expect(server.app.session.identity).toEqual({ id: 'a=b true POST' });
});

describe('events', () => {
  const get = (path: string, init: RequestInit = {}) => new Request(`https://app.example${path}`, init);

  it.each(['/api/realtime/events', '/realtime/events', '/api/realtime/events/'])('are read at %s', async (path) => {
    const server = await serve();
    const response = await server.gateway.fetch(get(`${path}?channel=room`));
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const body = EventBody.of(response);
    await body.next();
    await body.next();
    server.app.broadcast(1, 'news');
    expect(await body.next()).toEqual({ event: 'message', id: 'e-1', data: '"news"' });
  });

  it('are not where the protocol is', async () => {
    const server = await serve({ path: '/app/events' });
    const answer = await server.gateway.fetch(
      new Request('https://app.example/app/events', { method: 'POST', body: '' }),
    );
    expect((await read(answer)).frames[0]?.[1]).toBe('protocol_error');
    expect((await server.gateway.fetch(get('/app/events/events'))).headers.get('content-type')).toBe(
      'application/json',
    );
  });

  it('end with their reader, however it goes', async () => {
    const server = await serve();
    const abort = new AbortController();
    await server.gateway.fetch(get('/events?channel=room', { signal: abort.signal }));
    const other = await server.gateway.fetch(get('/events?channel=room'));
    expect(server.gateway.registry.size).toBe(2);
    abort.abort();
    await other.body?.cancel();
    expect(server.app.ends).toEqual(['closed', 'closed']);
    expect([server.gateway.registry.linkCount, server.gateway.carrierCount]).toEqual([0, 0]);
  });

  it('are refused by an answer of their own', async () => {
    const server = await serve();
    const response = await server.gateway.fetch(get('/events'));
    expect([response.status, await response.json()]).toMatchObject([400, { code: 'channel_invalid' }]);
    const origin = 'https://evil.example';
    expect((await server.gateway.fetch(get('/events?channel=room', { headers: { origin } }))).status).toBe(403);
  });

  it('take no more than is read', async () => {
    const server = await serve({ limits: { outboxBytes: 67_108_864 } });
    const body = (await server.gateway.fetch(get('/events?channel=room'))).body as ReadableStream<Uint8Array>;
    for (let offset = 1; offset <= 80; offset += 1) server.app.broadcast(offset, 'x'.repeat(50_000));
    await new Promise(setImmediate);
    const { link, ledger } = server.app.session;
    expect([link?.port.congested, ledger.acked]).toEqual([true, 1]);
    expect(link?.next).toBeLessThan(ledger.tx);
    let text = '';
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    while (!text.includes('id: e-80\n')) text += (await reader.read()).value;
    expect(text.match(/^id: e-\d+$/gm)).toHaveLength(81);
  });
});

it('asks nobody where it is known who asks', async () => {
  const server = await serve({ use: [() => expect.unreachable()], authenticate: () => expect.unreachable() });
  const answer = await server.gateway.fetch(requestOf(lines(attachFrame())), { id: 'bob' });
  expect((await read(answer)).frames[0]?.[0]).toBe(0);
  expect(server.app.session.identity).toEqual({ id: 'bob' });
});

it('rejects a request whose body was read before', async () => {
  const server = await serve();
  const request = requestOf(lines(attachFrame()));
  await request.text();
  await expect(server.gateway.fetch(request)).rejects.toThrow(TypeError);
});

it('ends its answers when the server closes, and turns newcomers away', async () => {
  const server = await serve();
  const reader = await Reader.open(server, stream);
  await reader.next();
  const closed = server.gateway.close({ retryMs: 3_000 });
  expect(await reader.next()).toEqual([4, 'server_closing', expect.any(String), 3_000]);
  expect(await reader.next()).toBeNull();
  await closed;
  expect((await ask(server, lines(attachFrame()))).status).toBe(503);
});

it('cuts off who does not read to the end in time', async () => {
  const server = await serve();
  const [reader, slow] = [await Reader.open(server, stream), serverWithSlowAuthentication()];
  await server.gateway.close({ timeoutMs: 1 });
  await expect(reader.next()).rejects.toThrow('ended the answer');
  expect(await slow).toBe(503);
});

/** The status of an answer that was under way when its server had no more time. */
async function serverWithSlowAuthentication(): Promise<number> {
  const asked = gate();
  const server = await serve({
    authenticate: ({ signal }) => {
      asked.open();
      return once(signal, 'abort').then(() => null);
    },
  });
  const answer = ask(server, lines(attachFrame()));
  await asked.passed;
  await server.gateway.close({ timeoutMs: 1 });
  return (await answer).status;
}
