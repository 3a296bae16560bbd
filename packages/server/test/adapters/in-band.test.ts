/** Fresh credentials that come in band are judged like those of an attach: by the same middlewares, and by the request of the attach. */
import { createServer as createHttpServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { createServer, type ServerOptions } from '../../src/server.ts';
import { contract } from '../app-contract.ts';
import { attachFrame, Body, type Frame, lines, post, postFrame, TestSocket } from '../transports/clients.ts';
import { listen } from '../transports/test-server.ts';

type Options = ServerOptions<typeof contract, { readonly id: string }>;

async function start(options: Partial<Options> = {}) {
  const errors: unknown[] = [];
  const realtime = createServer({
    contract,
    authenticate: ({ auth }) => (typeof auth === 'string' ? { id: auth } : null),
    onError: (error) => errors.push(error),
    ...options,
  });
  const http = createHttpServer();
  realtime.attach(http);
  const url = `http://127.0.0.1:${await listen(http)}/realtime`;
  onTestFinished(() => realtime.close({ timeoutMs: 0 }));
  return { realtime, url, errors };
}

const refresh = (id: number, auth: unknown): Frame => [18, id, '', '$auth', auth];

/** Reads on until `id` is answered. */
async function answerOn(reader: { next(): Promise<Frame | null> }, id: number): Promise<Frame | null> {
  for (let frame = await reader.next(); frame !== null; frame = await reader.next()) {
    if ((frame[0] === 19 || frame[0] === 20) && frame[1] === id) return frame;
  }
  return null;
}

it('gives authenticate the request of the attach, and runs the middlewares again', async () => {
  const seen: unknown[] = [];
  let logins = 0;
  const { url } = await start({
    use: [
      (request, _response, next) => {
        logins += 1;
        Object.assign(request, { user: { id: `${request.headers.cookie}` } });
        next();
      },
    ],
    authenticate: ({ request, auth }) => {
      seen.push([auth, request.url, request.headers.cookie, request.socket.remoteAddress]);
      return request.user ?? null;
    },
  });
  const headers = { cookie: 'anna' };
  const socket = await TestSocket.open({ url }, headers);
  const { key } = await socket.attach({ auth: 'first' });
  socket.send(refresh(1, 'second'));
  expect(await answerOn(socket, 1)).toEqual([19, 1]);
  const body = await Body.open(url, lines(attachFrame({ mode: 'stream', gen: 2, key, rx: 1, auth: 'third' })), headers);
  const welcome = (await body.next())?.[1];
  // What the POST itself says of its client is not asked.
  await post(url, lines(postFrame(welcome, { node: welcome.node, base: 1 }), refresh(2, 'fourth')));
  expect(await answerOn(body, 2)).toEqual([19, 2]);
  const attached = ['/realtime', 'anna', '127.0.0.1'];
  expect(seen).toEqual(['first', 'second', 'third', 'fourth'].map((auth) => [auth, ...attached]));
  expect(logins).toBe(4);
});

it('refuses who has logged out meanwhile', async () => {
  let isIn = true;
  const { url, errors } = await start({
    use: [
      (request, _response, next) => {
        if (isIn) Object.assign(request, { user: { id: 'anna' } });
        next();
      },
    ],
    authenticate: ({ request }) => request.user ?? null,
  });
  const socket = await TestSocket.open({ url });
  await socket.attach();
  isIn = false;
  socket.send(refresh(1, null));
  expect((await answerOn(socket, 1))?.slice(0, 3)).toEqual([20, 1, 'unauthorized']);
  expect(errors).toEqual([]);
});

it.each([
  [401, 'unauthorized', 0],
  [429, 'overloaded', 0],
  [500, 'internal', 1],
])('answers a refresh that a middleware ends with %i by %s', async (status, code, reported) => {
  let attached = false;
  const { url, errors } = await start({
    use: [
      (_request, response, next) => {
        response.statusCode = status;
        if (attached) response.end();
        else next();
      },
    ],
  });
  const socket = await TestSocket.open({ url });
  await socket.attach({ auth: 'anna' });
  attached = true;
  socket.send(refresh(1, 'anna'));
  expect((await answerOn(socket, 1))?.[2]).toBe(code);
  expect(errors).toHaveLength(reported);
});

it('believes who was made known by the app itself, until somebody attaches who was not', async () => {
  const asked: unknown[] = [];
  const { realtime, url } = await start({
    authenticate: ({ auth }) => {
      asked.push(auth);
      return auth === 'anna' ? { id: 'anna' } : null;
    },
  });
  const ask = async (...frames: unknown[]) => {
    const request = new Request(url, { method: 'POST', body: lines(...frames) });
    const answer = await realtime.fetchAs({ id: 'anna' }, request);
    return (await answer.text()).split('\n').map((line) => (line === '' ? null : (JSON.parse(line) as Frame)));
  };
  const welcome = (await ask(attachFrame({ hold: 0 })))[0]?.[1];
  await ask(postFrame(welcome, { node: welcome.node }), refresh(1, undefined));
  const { key } = welcome;
  expect((await ask(attachFrame({ gen: 2, key })))[1]).toEqual([19, 1]);
  expect(asked).toEqual([]);
  const socket = await TestSocket.open({ url });
  await socket.attach({ gen: 3, key, rx: 1, auth: 'anna' });
  socket.send(refresh(2, 'nobody'));
  expect((await answerOn(socket, 2))?.[2]).toBe('unauthorized');
  expect(asked).toEqual(['anna', 'nobody']);
});
