import { describe, expect, it } from 'vitest';
import {
  connect,
  failureOf,
  gate,
  roomOf,
  startProxy,
  TestServer,
  TRANSPORT_CASES,
  textsOf,
  userNamed,
} from './harness.ts';

/** A client whose types do not hold it back. */
interface Untyped {
  channel(
    pattern: string,
    params?: object,
  ): {
    publish(event: string, data: unknown): Promise<void>;
    request(method: string, data?: unknown): Promise<unknown>;
    on(event: string, handler: () => void): void;
    ready(): Promise<void>;
  };
}

describe.each(TRANSPORT_CASES)('over %s', (_over, transports) => {
  it('answers a request with what its handler returns', async () => {
    const server = await TestServer.start();
    server.onAsk = async ({ data, user, params, channel }) => ({ data, user: user.name, params, name: channel.name });
    const room = roomOf(connect(server, { transports }), 'a/b');
    expect(await room.request('ask', { question: 1 })).toEqual({
      data: { question: 1 },
      user: 'ANN',
      params: { roomId: 'a/b' },
      name: 'room/a%2Fb',
    });
    expect(await room.request('wake')).toBeNull();
  });

  it('fails a request as its handler does, with the data that the contract declares', async () => {
    const server = await TestServer.start();
    server.onAsk = ({ fail }) => fail('locked', { by: 'Bob' });
    const failure = await failureOf(roomOf(connect(server, { transports })).request('ask', null));
    expect(failure).toMatchObject({ code: 'locked', data: { by: 'Bob' }, retryable: false });
    expect(server.errors.items).toEqual([]);
  });

  it.each(['request', 'publish'] as const)(
    'tells the app what the handler of a %s has thrown, and the client nothing of it',
    async (kind) => {
      const server = await TestServer.start();
      const secret = new Error('password of the database');
      server.onAsk = () => {
        throw secret;
      };
      server.onMessage = () => Promise.reject(secret);
      const room = roomOf(connect(server, { transports }));
      const failure = await failureOf(
        kind === 'request' ? room.request('ask', null) : room.publish('message', { text: 'a' }),
      );
      expect(failure).toMatchObject({ code: 'handler_failed', retryable: true });
      expect(JSON.stringify([failure, failure.message])).not.toContain('password');
      expect(server.errors.items).toMatchObject([
        { error: secret, context: { during: kind, channel: 'room/lobby', user: 'ann' } },
      ]);
    },
  );

  it('times a request out and aborts the signal of its handler', async () => {
    const server = await TestServer.start();
    const aborted = gate<unknown>();
    server.onAsk = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted.open(signal.reason);
          reject(signal.reason);
        });
      });
    const room = roomOf(connect(server, { transports }));
    await room.ready();
    expect(await failureOf(room.request('ask', null, { timeoutMs: 60 }))).toMatchObject({ code: 'timeout' });
    expect(['timeout', 'canceled']).toContain(((await aborted.passed) as { code: string }).code);
    expect(server.errors.items).toEqual([]);
  });

  it('cancels a request and aborts the signal of its handler', async () => {
    const server = await TestServer.start();
    const [begun, aborted] = [gate(), gate<unknown>()];
    server.onAsk = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted.open(signal.reason);
          reject(signal.reason);
        });
        begun.open();
      });
    const room = roomOf(connect(server, { transports }));
    const controller = new AbortController();
    const answer = failureOf(room.request('ask', null, { signal: controller.signal }));
    await begun.passed;
    controller.abort();
    expect(await answer).toMatchObject({ code: 'canceled' });
    expect(await aborted.passed).toMatchObject({ code: 'canceled' });
    server.onAsk = ({ data }) => data;
    expect(await room.request('ask', 'still there?')).toBe('still there?');
    expect(server.errors.items).toEqual([]);
  });

  it('answers requests as they are done, in whatever order', async () => {
    const server = await TestServer.start();
    const gates = [gate(), gate(), gate()];
    server.onAsk = async ({ data }) => {
      await gates[data as number]?.passed;
      return data;
    };
    const room = roomOf(connect(server, { transports }));
    const done: unknown[] = [];
    const answers = gates.map((_, n) => room.request('ask', n).then((answer) => done.push(answer)));
    for (const n of [2, 0, 1]) {
      gates[n]?.open();
      await answers[n];
    }
    expect(done).toEqual([2, 0, 1]);
  });

  it('refuses a publish that does not satisfy its schema, and says why', async () => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    const failure = await failureOf(room.publish('message', { text: '', n: 'one' as never }));
    expect(failure).toMatchObject({ code: 'validation_failed', retryable: false });
    const { issues } = failure.data as { issues: { path: unknown; message: string }[] };
    expect(issues.map(({ path }) => path)).toEqual([['text'], ['n']]);
    for (const { message } of issues) expect(message).toEqual(expect.stringMatching(/./));
    expect(server.errors.items).toEqual([]);
  });

  it('refuses what JSON cannot carry before it is sent', async () => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    for (const payload of [1n, new Map(), Symbol('s'), () => {}, new Float32Array(1)]) {
      expect(await failureOf(room.request('ask', payload as never))).toMatchObject({ code: 'validation_failed' });
    }
    expect(await room.request('ask', [undefined, Number.NaN])).toEqual([null, null]);
  });

  it.each([
    ['channel', 'nowhere/1', 'message', 'unknown_channel'],
    ['channel', '__proto__', 'message', 'unknown_channel'],
    ['channel', 'constructor', 'message', 'unknown_channel'],
    ['event', 'room/lobby', 'nothing', 'unknown_event'],
    ['event', 'room/lobby', '__proto__', 'unknown_event'],
    ['event', 'room/lobby', 'constructor', 'unknown_event'],
    ['event that is not published', 'short/x', 'tick', 'unknown_event'],
    ['event that is volatile', 'room/lobby', 'nudge', 'unknown_event'],
  ])('refuses to publish to an unknown %s: %s %s', async (_what, channel, event, code) => {
    const server = await TestServer.start();
    const client = connect(server, { transports }) as unknown as Untyped;
    expect(await failureOf(client.channel(channel).publish(event, 'x'))).toMatchObject({ code, retryable: false });
    expect(server.errors.items).toEqual([]);
  });

  it.each([
    ['channel', 'nowhere/1', 'ask', 'unknown_channel'],
    ['channel', '__proto__', 'ask', 'unknown_channel'],
    ['method', 'room/lobby', 'nothing', 'unknown_method'],
    ['method', 'room/lobby', '__proto__', 'unknown_method'],
    ['method', 'room/lobby', 'constructor', 'unknown_method'],
    ['method', 'room/lobby', '$nothing', 'unknown_method'],
    ['method of a channel without requests', 'short/x', 'ask', 'unknown_method'],
    ['built-in method of a channel without presence', 'short/x', '$enter', 'unknown_method'],
  ])('refuses to ask an unknown %s: %s %s', async (_what, channel, method, code) => {
    const server = await TestServer.start();
    const client = connect(server, { transports }) as unknown as Untyped;
    expect(await failureOf(client.channel(channel).request(method))).toMatchObject({ code, retryable: false });
    expect(server.errors.items).toEqual([]);
  });

  it.each(['nowhere/1', '__proto__', 'constructor', 'room', 'room/a/b', 'room/%'])(
    'refuses to subscribe to an unknown channel: "%s"',
    async (channel) => {
      const server = await TestServer.start();
      const client = connect(server, { transports }) as unknown as Untyped;
      expect(await failureOf(client.channel(channel).ready())).toMatchObject({ code: 'unknown_channel' });
      expect(server.errors.items).toEqual([]);
    },
  );

  it.each(['__proto__', 'constructor', 'toString', 'a/b', '.', '..', 'ä%2F', '\u0000', ' '])(
    'takes any text as a parameter: "%s"',
    async (roomId) => {
      const server = await TestServer.start();
      const room = roomOf(connect(server, { transports }), roomId);
      const texts = textsOf(room);
      await room.ready();
      await room.publish('message', { text: 'hello' });
      await texts.count(1);
      server.onAsk = ({ params }) => params;
      expect(await room.request('ask', null)).toEqual({ roomId });
    },
  );

  it('refuses parameters that make no name at once', async () => {
    const server = await TestServer.start();
    const client = connect(server, { transports });
    await client.connect();
    for (const roomId of ['', 'x'.repeat(252), '\ud800', 7 as never]) {
      expect(() => roomOf(client, roomId)).toThrow(expect.objectContaining({ code: 'channel_invalid' }));
    }
    expect(roomOf(client, 'x'.repeat(251)).name).toHaveLength(256);
  });

  it('forbids what authorize refuses, and nothing else', async () => {
    const actions = ['subscribe', 'publish', 'request', 'presence'];
    const server = await TestServer.start({
      authenticate: ({ auth }) => userNamed('ann', (auth as { forbidden: string[] }).forbidden),
    });
    for (const forbidden of actions) {
      const client = connect(server, { transports, auth: { forbidden: [forbidden] } });
      const room = roomOf(client);
      const attempts: [string, () => Promise<unknown>][] = [
        ['publish', () => room.publish('message', { text: 'a' })],
        ['request', () => room.request('ask', null)],
        ['subscribe', () => room.ready()],
        ['presence', () => room.presence.enter({ mood: 'good' })],
      ];
      for (const [action, attempt] of attempts) {
        // Who may not subscribe is not present either.
        const refused = action === forbidden || (forbidden === 'subscribe' && action === 'presence');
        const outcome = await attempt().then(
          () => 'allowed',
          ({ code }: { code: string }) => code,
        );
        expect([forbidden, action, outcome]).toEqual([forbidden, action, refused ? 'forbidden' : 'allowed']);
      }
    }
    expect(server.errors.items).toEqual([]);
  });

  it('keeps one user out of the channel of another', async () => {
    const server = await TestServer.start();
    const [ann, bob] = [connect(server, { transports }), connect(server, { transports, user: 'bob' })];
    const [own, foreign] = [ann, bob].map((client) => client.channel('user/:userId', { userId: 'ann' }));
    expect(await own?.request('secret')).toBe("ANN's");
    for (const refused of [foreign?.request('secret'), foreign?.ready(), foreign?.publish('notice', 'x')]) {
      expect(await failureOf(refused as Promise<unknown>)).toMatchObject({ code: 'forbidden' });
    }
    expect(foreign?.state).toMatchObject({ status: 'failed', code: 'forbidden', retryAt: null });
  });

  it('takes away what authorize does not grant any more', async () => {
    const forbidden: string[] = [];
    const server = await TestServer.start({ authenticate: () => ({ ...userNamed('ann'), forbidden }) });
    const room = roomOf(connect(server, { transports }));
    const texts = textsOf(room);
    await room.presence.enter({ mood: 'good' });
    forbidden.push('subscribe');
    await server.realtime.user('ann').reauthorize();
    await server.realtime.channel('room/:roomId', { roomId: 'lobby' }).broadcast('message', { text: 'secret' });
    expect(await room.request('ask', 'anything else?')).toBe('anything else?');
    expect(room.state).toMatchObject({ status: 'failed', code: 'forbidden' });
    expect(texts.items).toEqual([]);
  });

  it('bounds the channels of a session', async () => {
    const server = await TestServer.start({ limits: { channels: 2 } });
    const client = connect(server, { transports });
    await Promise.all(['a', 'b'].map((id) => roomOf(client, id).ready()));
    const third = roomOf(client, 'c');
    third.on('message', () => {});
    const states = new Promise<string>((resolve) => {
      third.onState((state) => state.status === 'failed' && resolve(state.code));
    });
    expect(await states).toBe('limit_reached');
    third.close();
  });

  it('queues what is called before there is a connection, in order', async () => {
    const server = await TestServer.start();
    const proxy = await startProxy(server);
    proxy.refusing = true;
    const client = connect(proxy, { transports });
    const room = roomOf(client);
    const texts = textsOf(room);
    const settled: string[] = [];
    const calls = ['a', 'b', 'c'].map((text) => room.publish('message', { text }).then(() => settled.push(text)));
    const asked = room.request('ask', 'and?');
    proxy.refusing = false;
    await Promise.all(calls);
    await texts.count(3);
    expect(texts.items).toEqual(['a', 'b', 'c']);
    expect(settled).toEqual(['a', 'b', 'c']);
    expect(await asked).toBe('and?');
  });

  it('refuses what the queue has no room for', async () => {
    const server = await TestServer.start();
    const proxy = await startProxy(server);
    proxy.refusing = true;
    const room = roomOf(connect(proxy, { transports }));
    const calls = Array.from({ length: 1_001 }, (_, n) => room.request('ask', n));
    expect(await failureOf(calls.pop() as Promise<unknown>)).toMatchObject({ code: 'queue_full', retryable: true });
    proxy.refusing = false;
    expect(await Promise.all(calls)).toEqual(calls.map((_, n) => n));
  });

  it('refuses bytes that the queue has no room for', async () => {
    const server = await TestServer.start();
    const proxy = await startProxy(server);
    proxy.refusing = true;
    const room = roomOf(connect(proxy, { transports }));
    const half = 'x'.repeat(600_000);
    const first = room.request('ask', half);
    expect(await failureOf(room.request('ask', half))).toMatchObject({ code: 'queue_full' });
    proxy.refusing = false;
    expect(await first).toBe(half);
  });
});
