import { once } from 'node:events';
import { createServer, type IncomingMessage, ServerResponse } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Identity } from '@runnel/protocol';
import express from 'express';
import session, { MemoryStore } from 'express-session';
import passport from 'passport';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Gateway, type GatewayOptions } from '../../src/gateway.ts';
import type { AttachMiddleware } from '../../src/middlewares.ts';
import {
  attachByPoll,
  attachFrame,
  Body,
  type Frame,
  framesOf,
  lines,
  pollFrame,
  post,
  postFrame,
  TestSocket,
} from '../transports/clients.ts';
import { FakeApp } from '../transports/fake-app.ts';
import { gate } from '../transports/gate.ts';
import { serve, type TestServer } from '../transports/test-server.ts';

declare global {
  namespace Express {
    interface User {
      id: string;
    }
  }
}
declare module 'express-session' {
  interface SessionData {
    attaches: number;
  }
}

/** What an attach is answered with over each transport: its welcome, or what refuses it. */
const TRANSPORTS: [string, (server: TestServer, headers: Record<string, string>) => Promise<Frame>][] = [
  ['poll', async ({ url }, headers) => (await post(url, lines(attachFrame()), { headers })).frames[0] as Frame],
  [
    'stream',
    async ({ url }, headers) => {
      const body = await Body.open(url, lines(attachFrame({ mode: 'stream' })), headers);
      return (await body.next()) as Frame;
    },
  ],
  [
    'websocket',
    async (server, headers) => {
      const socket = await TestSocket.open(server, headers);
      socket.send(attachFrame({ mode: 'websocket' }));
      return (await socket.next()) as Frame;
    },
  ],
];

/** An Express app where people log in, with a session in a store. */
async function serveLogins(options: Partial<GatewayOptions<Identity>> = {}, store = new MemoryStore()) {
  const logins = new passport.Passport();
  logins.serializeUser((user, done) => done(null, user.id));
  logins.deserializeUser((id: string, done) => done(null, { id }));
  const sessions = session({ secret: 'secret', resave: false, saveUninitialized: false, store });
  const app = express();
  app.use(sessions, logins.session());
  app.post('/login', (request, response, next) => {
    request.login({ id: 'anna' }, (error) => (error ? next(error) : response.end()));
  });
  app.post('/logout', (request, response, next) => {
    request.logout((error) => (error ? next(error) : response.end()));
  });
  const server = await serve(
    { use: [sessions, logins.session()], authenticate: ({ request }) => request.user ?? null, ...options },
    createServer(app),
  );
  const root = new URL('/', server.url);
  const login = async () => {
    const { headers } = await fetch(new URL('login', root), { method: 'POST' });
    return { cookie: headers.getSetCookie()[0]?.split(';')[0] as string };
  };
  const logout = (headers: Record<string, string>) => fetch(new URL('logout', root), { method: 'POST', headers });
  return { server, store, login, logout };
}

const use = (middleware: AttachMiddleware, options: Partial<GatewayOptions<Identity>> = {}) =>
  serve({ use: [middleware], ...options });
const attached = async ({ url }: TestServer) => (await post(url, lines(attachFrame({ gen: 3 })))).frames[0] as Frame;

describe.each(TRANSPORTS)('over %s', (over, attach) => {
  it('knows who has logged in on a page, and refuses who has not, or has logged out', async () => {
    const { server, login, logout } = await serveLogins();
    const headers = await login();
    expect((await attach(server, headers))[0]).toBe(0);
    expect(server.app.session.identity).toEqual({ id: 'anna' });
    await logout(headers);
    expect((await attach(server, headers)).slice(0, 2)).toEqual([4, 'unauthorized']);
    expect((await attach(server, {})).slice(0, 2)).toEqual([4, 'unauthorized']);
    expect(server.errors).toEqual([]);
  });

  it('saves what authenticate has put into the session', async () => {
    const { server, store, login } = await serveLogins({
      authenticate: ({ request }) => {
        request.session.attaches = (request.session.attaches ?? 0) + 1;
        return request.user ?? null;
      },
    });
    const headers = await login();
    await attach(server, headers);
    await attach(server, headers);
    const saved = await new Promise((resolve) => store.all?.((_error, all) => resolve(all)));
    expect(Object.values(saved as object)).toMatchObject([{ attaches: 2 }]);
  });

  it('refuses with internal where the store fails, and says so', async () => {
    const { server, store, login } = await serveLogins();
    const headers = await login();
    store.get = (_id, done) => done(new Error('no store'));
    expect((await attach(server, headers)).slice(0, 2)).toEqual([4, 'internal']);
    expect(server.errors).toEqual([new Error('no store')]);
  });

  it('gives middlewares a request and a response as node would', async () => {
    const seen: unknown[] = [];
    const server = await use((request, response, next) => {
      const { method, url, headers, socket, httpVersion } = request;
      const { originalUrl = url } = request as { originalUrl?: string };
      const secure = 'encrypted' in socket && socket.encrypted;
      seen.push([method, url, originalUrl, headers.cookie, socket.remoteAddress, secure, httpVersion]);
      seen.push(response instanceof ServerResponse && response.req === request);
      response.setHeader('Set-Cookie', 'a=b').write('nobody reads this');
      next();
    });
    expect((await attach(server, { cookie: 'c=d' }))[0]).toBe(0);
    const method = over === 'websocket' ? 'GET' : 'POST';
    expect(seen).toEqual([[method, '/realtime', '/realtime', 'c=d', '127.0.0.1', false, '1.1'], true]);
  });
});

it('runs them once per attach, and not for polls and POSTs', async () => {
  const order: string[] = [];
  const named =
    (name: string): AttachMiddleware =>
    (_request, _response, next) => {
      order.push(name);
      setImmediate(next);
    };
  const server = await serve({
    use: [named('first'), named('second')],
    authenticate: () => {
      order.push('authenticate');
      return { id: 'anna' };
    },
  });
  const welcome = await attachByPoll(server);
  await post(server.url, lines(pollFrame(welcome)));
  await post(server.url, lines(postFrame(welcome), [2, 0]));
  expect(order).toEqual(['first', 'second', 'authenticate']);
  const socket = await TestSocket.open(server);
  await socket.attach({ gen: 2, key: welcome.key });
  await socket.attach({ gen: 3, key: welcome.key });
  expect(order).toHaveLength(9);
});

it('sends nothing of what they answer to the client', async () => {
  const server = await use((_request, response, next) => {
    response.setHeader('Set-Cookie', 'a=b');
    response.writeHead(200).write('text');
    next();
  });
  const answer = await post(server.url, lines(attachFrame()));
  expect(answer.headers.get('set-cookie')).toBeNull();
  expect(answer.frames.map(([type]) => type)).toEqual([0, 13]);
});

const status = (code: number, headers: Record<string, string> = {}): AttachMiddleware => {
  return (_request, response) => {
    response.statusCode = code;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.end('a page');
  };
};
const withStatus = (code: number, key = 'status') => Object.assign(new Error('refused'), { [key]: code });

it.each<[string, AttachMiddleware, Frame]>([
  ['answers 401', status(401), [4, 'unauthorized', expect.any(String), 0, 3]],
  ['answers 403', status(403), [4, 'unauthorized', expect.any(String), 0, 3]],
  ['redirects', status(302, { location: '/login' }), [4, 'unauthorized', expect.any(String), 0, 3]],
  ['answers 429', status(429), [4, 'overloaded', expect.any(String), 5_000, 3]],
  ['says when to come back', status(429, { 'retry-after': '60' }), [4, 'overloaded', expect.any(String), 60_000, 3]],
  [
    'says no by an error of status 401',
    (_request, _response, next) => next(withStatus(401)),
    [4, 'unauthorized', expect.any(String), 0, 3],
  ],
  [
    'says no by an error of status 403',
    async () => {
      throw withStatus(403, 'statusCode');
    },
    [4, 'unauthorized', expect.any(String), 0, 3],
  ],
  [
    'answers and goes on all the same',
    (_request, response, next) => {
      response.writeHead(401).end();
      next();
    },
    [4, 'unauthorized', expect.any(String), 0, 3],
  ],
])('refuses a client where a middleware %s', async (_what, middleware, refusal) => {
  let asked = false;
  const server = await use(middleware, {
    authenticate: () => {
      asked = true;
      return { id: 'anna' };
    },
  });
  expect(await attached(server)).toEqual(refusal);
  expect([asked, server.errors]).toEqual([false, []]);
});

it.each<[string, AttachMiddleware, unknown]>([
  [
    'throws',
    () => {
      throw new Error('broken');
    },
    new Error('broken'),
  ],
  ['rejects', () => Promise.reject(new Error('broken')), new Error('broken')],
  ['calls next with an error', (_request, _response, next) => next(new Error('broken')), new Error('broken')],
  ['calls next with an error later', (_request, _response, next) => void setImmediate(next, 'broken'), 'broken'],
  ['answers by itself', status(404), expect.objectContaining({ message: expect.stringContaining('status 404') })],
  [
    'destroys the response',
    (_request, response) => void response.destroy(),
    expect.objectContaining({ message: expect.stringContaining('destroyed') }),
  ],
])('answers internal and reports where a middleware %s', async (_what, middleware, error) => {
  const server = await use(middleware);
  expect(await attached(server)).toEqual([4, 'internal', expect.any(String), 2_000, 3]);
  expect(server.errors).toEqual([error]);
});

it('asks to retry where a middleware never calls next, and ends what it was given', async () => {
  const given = gate<ServerResponse>();
  const server = await use((_request, response) => given.open(response));
  const answer = attached(server);
  const response = await given.passed;
  const closed = once(response, 'close');
  server.clock.advance(10_000);
  expect(await answer).toEqual([15, 3, 2_000]);
  await closed;
  expect(response.writableFinished).toBe(false);
  expect(server.errors).toEqual([]);
});

it('calls a middleware off whose client has gone', async () => {
  const abort = new AbortController();
  const closed = gate();
  const server = await use((_request, response) => {
    response.on('close', () => closed.open());
    abort.abort();
  });
  await expect(post(server.url, lines(attachFrame()), { signal: abort.signal })).rejects.toThrow('abort');
  await closed.passed;
  expect(server.gateway.registry.size).toBe(0);
  expect(server.errors).toEqual([]);
});

it('reports what goes wrong after the client was let in', async () => {
  const { server, store, login } = await serveLogins({
    authenticate: ({ request }) => {
      request.session.attaches = 1;
      return request.user ?? null;
    },
  });
  const headers = await login();
  store.set = (_id, _session, done) => done?.(new Error('disk full'));
  expect((await post(server.url, lines(attachFrame()), { headers })).frames[0]?.[0]).toBe(0);
  while (server.errors.length === 0) await new Promise(setImmediate);
  expect(server.errors).toEqual([new Error('disk full')]);
});

it('takes an Express app, with all that Express puts on requests and responses', async () => {
  const guard = express();
  guard.use('/elsewhere', () => expect.unreachable());
  guard.use((request, response, next) => {
    if (request.get('authorization') === undefined) return void response.sendStatus(401);
    Object.assign(request, { user: { id: `${request.ip} ${request.protocol}` } });
    next();
  });
  const server = await serve({ use: [guard], authenticate: ({ request }) => request.user ?? null });
  expect((await attached(server)).slice(0, 2)).toEqual([4, 'unauthorized']);
  const socket = await TestSocket.open(server, { authorization: 'yes' });
  await socket.attach();
  expect(server.app.session.identity).toEqual({ id: '127.0.0.1 http' });
});

it('finds what middlewares before ours have put on the request', async () => {
  const gateway = new Gateway<Identity>({
    app: new FakeApp(),
    authenticate: ({ request }) => request.user ?? null,
  });
  onTestFinished(() => gateway.close({ timeoutMs: 0 }));
  const app = express();
  app.use((request, _response, next) => {
    Object.assign(request, { user: { id: 'anna' } });
    next();
  });
  app.use(gateway.middleware());
  const http = createServer(app).listen(0, '127.0.0.1');
  onTestFinished(() => void http.close());
  await once(http, 'listening');
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/realtime`;
  expect((await post(url, lines(attachFrame()))).frames[0]?.[0]).toBe(0);
});

it('works on an HTTP/2 server', async () => {
  const server = createHttp2Server();
  const seen: (string | undefined)[] = [];
  const gateway = new Gateway<Identity>({
    app: new FakeApp(),
    use: [
      ({ method, url, headers }: IncomingMessage, _response, next) => {
        seen.push(method, url, headers.cookie);
        next();
      },
    ],
    authenticate: () => ({ id: 'anna' }),
  });
  gateway.attach(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    await gateway.close({ timeoutMs: 0 });
    client.destroy();
    server.close();
  });
  const asked = client.request({ ':method': 'POST', ':path': '/realtime', cookie: 'a=b' });
  let answer = '';
  for await (const chunk of asked.end(lines(attachFrame())).setEncoding('utf8')) answer += chunk;
  expect(framesOf(answer)[0]?.[0]).toBe(0);
  expect(seen).toEqual(['POST', '/realtime', 'a=b']);
});

it('refuses what is no middleware', () => {
  const make = () =>
    new Gateway({ app: new FakeApp(), authenticate: () => null, use: [{} as unknown as AttachMiddleware] });
  expect(make).toThrow(new TypeError('use[0] is no middleware but object; give functions (req, res, next).'));
});
