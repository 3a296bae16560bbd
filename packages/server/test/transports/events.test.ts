/** Channels as they are read without the SDK: by `curl` and by `EventSource`. */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { isCode } from '@runnel/protocol';
import { EventSource } from 'eventsource';
import express from 'express';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createServer, type ServerOptions } from '../../src/server.ts';
import { EVENT_STATUSES } from '../../src/transports/event-feed.ts';
import { EventBody, refusedEvents } from './event-client.ts';
import { FakeClock } from './fake-clock.ts';
import { type FeedContract, feedContract } from './feed-contract.ts';
import { gate } from './gate.ts';
import { listen } from './test-server.ts';

interface User {
  readonly id: string;
}
type Options = ServerOptions<FeedContract, User>;

async function start(options: Partial<Options> = {}, http: Server = createHttpServer()) {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const ends: string[] = [];
  /** What `authorize` says of a room. */
  const rules = { mayRead: (_user: User): boolean | Promise<boolean> => true };
  const realtime = createServer<FeedContract, User>({
    contract: feedContract,
    clock,
    authenticate: ({ request }) => ({ id: request.headers.cookie ?? 'guest' }),
    onError: (error) => errors.push(error),
    onSessionEnd: (_session, code) => ends.push(code),
    ...options,
  });
  realtime.handle('room/:roomId', { authorize: ({ user }) => rules.mayRead(user) });
  realtime.handle('log', { open: true });
  realtime.handle('live', { open: true });
  realtime.attach(http);
  const url = `http://127.0.0.1:${await listen(http)}/realtime/events`;
  onTestFinished(() => realtime.close({ timeoutMs: 0 }));
  const room = realtime.channel('room/:roomId', { roomId: 'lobby' });
  const send = async (from: number, to: number) => {
    for (let n = from; n <= to; n += 1) await room.broadcast('message', n);
  };
  return { realtime, http, url, room, send, rules, clock, errors, ends, lobby: `${url}?channel=room/lobby` };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

describe('reading a channel', () => {
  it('brings what is sent from then on', async () => {
    const { room, lobby } = await start();
    await room.broadcast('message', 'before');
    const body = await EventBody.open(lobby);
    const [told] = await body.events(1);
    expect(told).toEqual(['$subscribed', { channel: 'room/lobby', offset: 1, head: 1, recovered: null }]);
    await room.broadcast('message', { text: 'hi' });
    const id = expect.stringMatching(/-2$/);
    expect(await body.next()).toEqual({ event: 'message', id, data: '{"text":"hi"}' });
    await room.broadcast('typing', 'anna');
    expect(await body.next()).toEqual({ event: 'typing', data: '"anna"' });
  });

  it('rewinds', async () => {
    const { send, lobby } = await start();
    await send(1, 4);
    const body = await EventBody.open(`${lobby}&rewind=2`);
    expect(await body.events(2, 'message')).toEqual([
      ['message', 3],
      ['message', 4],
    ]);
  });

  it.each([
    ['the header', (id: string) => ['', { 'last-event-id': id }] as const],
    ['the query', (id: string) => [`&lastEventId=${encodeURIComponent(id)}`, {}] as const],
  ])('goes on after the last event that %s names', async (_where, after) => {
    const { send, lobby } = await start();
    const first = await EventBody.open(lobby);
    await send(1, 2);
    await first.next();
    await first.next();
    const { id } = (await first.next()) as { id: string };
    first.abort();
    await send(3, 4);
    const [query, headers] = after(id);
    const second = await EventBody.open(lobby + query, { headers });
    expect(await second.events(4)).toEqual([
      ['$subscribed', { channel: 'room/lobby', offset: 1, head: 4, recovered: true }],
      ...[2, 3, 4].map((n) => ['message', n]),
    ]);
  });

  it.each([
    ['of another life of the log', 'room/lobby', (epoch: string) => `not-${epoch}-1`],
    ['that the history does not reach back to', 'room/lobby', (epoch: string) => `${epoch}-1`],
    ['of a channel that keeps nothing', 'live', (epoch: string) => `${epoch}-1`],
  ])('says that it cannot go on from a place %s', async (_what, channel, placeIn) => {
    const { realtime, send, url } = await start();
    await send(1, 9);
    for (let n = 1; n <= 9; n += 1) await realtime.channel('live').broadcast('tick', n);
    const first = await EventBody.open(`${url}?channel=${channel}`);
    await first.next();
    const [epoch] = ((await first.next()) as { id: string }).id.split('-9');
    const body = await EventBody.open(`${url}?channel=${channel}`, {
      headers: { 'last-event-id': placeIn(epoch as string) },
    });
    expect(await body.events(2)).toEqual([
      ['$subscribed', expect.objectContaining({ recovered: false })],
      ['$gap', { reason: 'positionLost' }],
    ]);
  });

  it('brings what is larger than a line, and bytes as they are written', async () => {
    const { room, lobby } = await start();
    const bodies = [await EventBody.open(lobby), await EventBody.open(lobby)];
    const large = { text: 'é"\n'.repeat(50_000) };
    await room.broadcast('message', large);
    await room.broadcast('message', { bytes: Uint8Array.of(1, 2, 255) });
    for (const body of bodies) {
      expect(await body.events(2, 'message')).toEqual([
        ['message', large],
        ['message', { bytes: { $b: 'AQL/' } }],
      ]);
    }
  });

  it('gives authenticate what is there to go by', async () => {
    const seen: unknown[] = [];
    const { url } = await start({
      use: [(request, _response, next) => next(Object.assign(request, { user: { id: 'anna' } }) && undefined)],
      authenticate: ({ request, auth }) => {
        seen.push(auth, request.url, request.headers.cookie);
        return request.user ?? null;
      },
    });
    const body = await EventBody.open(`${url}?channel=log&token=t`, { headers: { cookie: 'a=b' } });
    await body.events(1);
    expect(seen).toEqual([undefined, '/realtime/events?channel=log&token=t', 'a=b']);
  });

  it('is a session among the others', async () => {
    const { realtime, lobby } = await start();
    const body = await EventBody.open(lobby, { headers: { cookie: 'anna' } });
    await body.events(1);
    expect(realtime.stats()).toMatchObject({ sessions: 1, links: 1, subscriptions: 1, transports: { stream: 1 } });
    expect(await realtime.user('anna').sessions()).toMatchObject([{ transport: 'stream', connected: true }]);
  });

  it('lets go of everything when its reader goes', async () => {
    const { realtime, ends, lobby } = await start();
    const body = await EventBody.open(lobby);
    await body.events(1);
    body.abort();
    await until(() => realtime.stats().sessions === 0);
    expect(realtime.stats()).toMatchObject({ links: 0, channels: 0, subscriptions: 0 });
    expect(ends).toEqual(['closed']);
  });

  it('works behind Express, at the root and below a path', async () => {
    for (const mount of ['/', '/realtime']) {
      const app = express();
      const http = createHttpServer(app);
      const { realtime, url } = await start({}, http);
      const other = createServer({ contract: feedContract, authenticate: () => ({ id: 'anna' }) });
      other.handle('log', { open: true });
      onTestFinished(() => other.close({ timeoutMs: 0 }));
      app.use(mount, other.middleware());
      expect((await EventBody.open(`${url}?channel=log`)).status).toBe(200);
      expect(realtime.stats().sessions).toBe(1);
    }
  });
});

describe('refusals', () => {
  it('have the statuses that the document lists', () => {
    const text = readFileSync(new URL('../../../../docs/PROTOCOL.md', import.meta.url), 'utf8');
    const rows = text.split('### 11.3')[1]?.match(/^\| \d+ .*$/gm) ?? [];
    const listed = rows.flatMap((row) => {
      const [, status, codes = ''] = row.split('|');
      // 405 is told by the method, not by the code.
      const names = Number(status) === 405 ? [] : [...codes.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name as string);
      return names.filter(isCode).map((name) => [name, Number(status)]);
    });
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(EVENT_STATUSES));
  });

  it.each<[string, number, string, string, RequestInit]>([
    ['no channel', 400, 'channel_invalid', '', {}],
    ['a rewind that is no number', 400, 'protocol_error', '?channel=log&rewind=x', {}],
    ['a place that nobody gave', 400, 'protocol_error', '?channel=log', { headers: { 'last-event-id': 'x' } }],
    ['a channel that is not', 404, 'unknown_channel', '?channel=rooms/lobby', {}],
    ['a foreign page', 403, 'forbidden_origin', '?channel=log', { headers: { origin: 'https://evil.example' } }],
    ['another method', 405, 'protocol_error', '?channel=log', { method: 'POST', body: 'x' }],
  ])('answers %s with %i', async (_what, status, code, query, init) => {
    const { url, realtime } = await start();
    const answer = await refusedEvents(url + query, init);
    expect([answer.status, answer.error]).toEqual([status, { code, message: expect.any(String) }]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store, no-transform',
    });
    expect(realtime.stats().sessions).toBe(0);
  });

  it('answers HEAD without a body', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}?channel=log`, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('allow'), await answer.text()]).toEqual([405, 'GET, OPTIONS', '']);
  });

  it('answers 401 where authenticate says no', async () => {
    const { lobby } = await start({ authenticate: () => null });
    expect(await refusedEvents(lobby)).toMatchObject({ status: 401, error: { code: 'unauthorized' } });
  });

  it('answers 500 where authenticate fails, without saying how', async () => {
    const { lobby, errors } = await start({
      authenticate: () => {
        throw new Error('password of the database');
      },
    });
    const answer = await refusedEvents(lobby);
    expect(answer).toMatchObject({ status: 500, error: { code: 'internal' } });
    expect(answer.error.message).not.toContain('password');
    expect(errors).toHaveLength(1);
  });

  it('answers 403 where authorize says no, and tells no hook of it', async () => {
    const { realtime, rules, lobby, ends } = await start();
    rules.mayRead = ({ id }) => id === 'anna';
    expect(await refusedEvents(lobby)).toMatchObject({ status: 403, error: { code: 'forbidden' } });
    await until(() => realtime.stats().sessions === 0);
    expect(ends).toEqual([]);
    expect((await EventBody.open(lobby, { headers: { cookie: 'anna' } })).status).toBe(200);
  });

  it.each([
    ['authenticate', { authenticate: () => new Promise<null>(() => {}) }],
    ['a middleware', { use: [() => {}] }],
  ])('answers 503 where %s does not answer in time', async (_what, options) => {
    const asked = gate();
    const { clock, lobby } = await start({
      ...options,
      use: [
        (_request, _response, next) => {
          asked.open();
          next();
        },
        ...('use' in options ? options.use : []),
      ],
    });
    const answer = refusedEvents(lobby);
    await asked.passed;
    await new Promise(setImmediate);
    clock.advance(10_000);
    const { status, error, headers } = await answer;
    expect([status, error.code, headers.get('retry-after')]).toEqual([503, 'timeout', '2']);
  });

  it('answers 503 where authorize does not answer in time', async () => {
    const { realtime, rules, clock, lobby } = await start();
    const asked = gate();
    rules.mayRead = () => {
      asked.open();
      return new Promise(() => {});
    };
    const answer = refusedEvents(lobby);
    await asked.passed;
    clock.advance(10_000);
    expect(await answer).toMatchObject({ status: 503, error: { code: 'timeout' } });
    expect(realtime.stats().sessions).toBe(0);
  });

  it('forgets a reader who goes while it is asked', async () => {
    const { realtime, rules, lobby, ends } = await start();
    const abort = new AbortController();
    rules.mayRead = () => {
      abort.abort();
      return new Promise(() => {});
    };
    await expect(fetch(lobby, { signal: abort.signal })).rejects.toThrow('abort');
    await until(() => realtime.stats().sessions === 0);
    expect(ends).toEqual([]);
  });

  it('answers 503 to those who are too many, and when to come back', async () => {
    const { lobby } = await start({ sessionsMax: 1 });
    const body = await EventBody.open(lobby);
    await body.events(1);
    const { status, error, headers } = await refusedEvents(lobby);
    expect([status, error.code, headers.get('retry-after')]).toEqual([503, 'overloaded', '5']);
  });

  it('answers 503 when the server closes, after it has ended its readers', async () => {
    const { realtime, lobby } = await start();
    const body = await EventBody.open(lobby);
    const closed = realtime.close({ retryMs: 3_000 });
    expect(await body.events(1, '$closed')).toEqual([['$closed', expect.objectContaining({ code: 'server_closing' })]]);
    expect(await body.ended).toBe(true);
    await closed;
    const { status, error, headers } = await refusedEvents(lobby);
    expect([status, error.code, headers.get('retry-after')]).toEqual([503, 'server_closing', '3']);
  });

  it('answers 404 where streams are not offered', async () => {
    const { lobby } = await start({ transports: ['websocket', 'poll'] });
    expect(await refusedEvents(lobby)).toMatchObject({ status: 404, error: { code: 'transport_unavailable' } });
  });

  it('lets pages of listed origins read, refusals included', async () => {
    const { lobby, url } = await start({ origins: ['https://app.example'] });
    const headers = { origin: 'https://app.example', 'access-control-request-headers': 'last-event-id' };
    const cors = {
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    };
    for (const asked of [lobby, url]) {
      const { headers: told } = await fetch(asked, { headers }).then(
        (answer) => answer.body?.cancel().then(() => answer) ?? answer,
      );
      expect(Object.fromEntries(told)).toMatchObject(cors);
    }
    const preflight = await fetch(lobby, { method: 'OPTIONS', headers });
    expect([preflight.status, Object.fromEntries(preflight.headers)]).toMatchObject([
      204,
      { ...cors, 'access-control-allow-methods': 'GET', 'access-control-allow-headers': 'last-event-id' },
    ]);
  });
});

describe('EventSource', () => {
  /** Collects the numbers that come. */
  function read(url: string, init?: ConstructorParameters<typeof EventSource>[1]) {
    const source = new EventSource(url, init);
    onTestFinished(() => source.close());
    const numbers: number[] = [];
    const states: string[] = [];
    const errors: (number | undefined)[] = [];
    for (const name of ['message', 'line']) source.addEventListener(name, ({ data }) => numbers.push(JSON.parse(data)));
    // Not 'open': until it has been told where it stands it has no place to come back to.
    source.addEventListener('$subscribed', () => states.push('open'));
    source.addEventListener('error', ({ code }) => {
      errors.push(code);
      states.push(source.readyState === source.CLOSED ? 'closed' : 'connecting');
    });
    return { source, numbers, states, errors };
  }

  it('loses nothing and repeats nothing when its connection is cut', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { http, realtime, url } = await start();
    const log = realtime.channel('log');
    const { numbers, states } = read(`${url}?channel=log`);
    let n = 0;
    for (let cut = 1; cut <= 3; cut += 1) {
      await until(() => states.at(-1) === 'open');
      for (const to = n + 20; n < to; n += 1) await log.broadcast('line', n);
      http.closeAllConnections();
      for (const to = n + 20; n < to; n += 1) await log.broadcast('line', n);
      await until(() => states.at(-1) === 'connecting');
      // The time that it was told to wait.
      vi.advanceTimersByTime(2_000);
    }
    await log.broadcast('line', n);
    await until(() => numbers.at(-1) === n);
    expect(numbers).toEqual(Array.from({ length: n + 1 }, (_, at) => at));
  });

  it('stops when it may no longer read', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { realtime, rules, send, lobby } = await start();
    const { source, numbers, states, errors } = read(lobby);
    await until(() => realtime.stats().subscriptions === 1);
    await send(1, 1);
    rules.mayRead = () => false;
    await realtime.user('guest').reauthorize();
    await until(() => states.at(-1) === 'connecting');
    vi.advanceTimersByTime(2_000);
    await until(() => source.readyState === source.CLOSED);
    expect([numbers, errors.at(-1)]).toEqual([[1], 403]);
  });

  it('stays away when it was kicked', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { realtime, lobby, ends } = await start();
    const { source, states } = read(lobby);
    const closed = gate<string>();
    source.addEventListener('$closed', ({ data }) => closed.open(data));
    await until(() => states.at(-1) === 'open');
    expect(await realtime.user('guest').kick('too loud')).toBe(1);
    expect(JSON.parse(await closed.passed)).toEqual({ code: 'kicked', reason: 'too loud' });
    await until(() => states.at(-1) === 'connecting');
    vi.advanceTimersByTime(86_400_000);
    await new Promise(setImmediate);
    expect([states.at(-1), realtime.stats().sessions, ends]).toEqual(['connecting', 0, ['kicked']]);
  });

  it('comes back with fresh cookies when its credentials have expired', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    let attaches = 0;
    const { realtime, clock, lobby, ends, send } = await start({
      authenticate: () => {
        attaches += 1;
        return { id: 'anna', expiresInMs: 5_000 };
      },
    });
    const { numbers, states } = read(lobby);
    await until(() => realtime.stats().subscriptions === 1);
    await send(1, 1);
    await until(() => numbers.length === 1);
    clock.advance(5_000);
    await until(() => states.at(-1) === 'connecting');
    await send(2, 2);
    vi.advanceTimersByTime(2_000);
    await until(() => numbers.length === 2);
    expect([ends, attaches]).toEqual([['credentials_expired'], 2]);
  });
});
