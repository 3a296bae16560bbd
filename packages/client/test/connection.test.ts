import { beforeEach, describe, expect, test } from 'vitest';
import type { Client, ConnectionState, Environment } from '../src/index.ts';
import type { AppContract } from './app-contract.ts';
import { EPOCH, World } from './world.ts';

let world: World;

beforeEach(() => {
  world = new World();
});

describe('the first connect', () => {
  test('asks for what was wanted in the turn of createClient, by one POST that needs no preflight', async () => {
    const client = world.client({ auth: 'token' });
    client.channel('room/:roomId', { roomId: 'a/b' }, { rewind: 5 }).on('message', () => {});
    client.channel('ticker').on('quote', () => {});
    await world.run(0);
    const [attach] = world.requests;
    expect(attach?.url).toBe('https://example.test/realtime');
    expect(attach?.init).toMatchObject({ method: 'POST', cache: 'no-store', credentials: 'same-origin' });
    expect(attach?.init.headers).toEqual({ 'content-type': 'text/plain;charset=UTF-8' });
    expect(attach?.frames).toEqual([
      [
        0,
        expect.objectContaining({
          mode: 'poll',
          hold: 0,
          gen: 1,
          auth: 'token',
          subs: [
            [1, 'room/a%2Fb', { rewind: 5 }],
            [2, 'ticker', {}],
          ],
        }),
      ],
    ]);
    expect(world.sockets.map(({ url }) => url)).toEqual(['wss://example.test/realtime']);
  });

  test('goes on over a WebSocket that has proven itself', async () => {
    const client = world.client();
    const states: ConnectionState[] = [];
    client.onState((state) => states.push(state));
    await world.until(() => client.diagnose().transport === 'websocket');
    expect(states.map((state) => (state.status === 'open' ? state.transport : state.status))).toEqual([
      'connecting',
      'poll',
      'websocket',
    ]);
    expect(client.diagnose()).toMatchObject({
      transport: 'websocket',
      choice: 'auto',
      client: expect.any(String),
      roundTripMs: expect.any(Number),
    });
    const { attempts } = client.diagnose();
    expect(attempts.map(({ transport, step, outcome }) => [transport, step, outcome])).toEqual([
      ['poll', 'attach', 'ok'],
      ['websocket', 'probe', 'ok'],
      ['websocket', 'attach', 'ok'],
    ]);
    expect(attempts[0]?.at).toBe(EPOCH);
  });

  test('waits to be asked for where it should', async () => {
    const client = world.client({ autoConnect: false });
    await world.run(1_000);
    expect(world.requests).toEqual([]);
    expect(client.state).toEqual({ status: 'idle' });
    const connected = client.connect();
    await world.run(100);
    await connected;
    expect(client.state.status).toBe('open');
  });

  test('has the stream where there is no WebSocket', async () => {
    world.webSockets = false;
    const client = world.client();
    await world.until(() => client.diagnose().transport === 'stream');
    const room = client.channel('room/:roomId', { roomId: 'lobby' });
    const heard: unknown[] = [];
    room.on('message', (message) => heard.push(message));
    const published = room.publish('message', { text: 'naïve — 文字 🌊' });
    await world.run(100);
    await published;
    expect(heard).toEqual([{ text: 'naïve — 文字 🌊' }]);
  });

  test('says in diagnose() why there is no WebSocket', async () => {
    const loadWebSocket = () => Promise.reject(new Error('install the package "ws"'));
    const client = world.client({ environment: { WebSocket: null, loadWebSocket } });
    await world.run(1_000);
    expect(client.diagnose().attempts).toContainEqual(
      expect.objectContaining({ transport: 'websocket', outcome: 'failed', reason: 'install the package "ws"' }),
    );
    expect(client.state.status).toBe('open');
  });

  test('finds a WebSocket where there is none at hand', async () => {
    const { WebSocket, ...rest } = world.environment;
    if (WebSocket === null) throw new Error('there is one');
    const client = world.client({
      environment: { ...rest, WebSocket: null, loadWebSocket: () => Promise.resolve(WebSocket) },
    });
    await world.until(() => client.diagnose().transport === 'websocket');
  });

  test('sends the headers that it was given', async () => {
    world.client({ headers: { cookie: 'a=1' } });
    await world.run(0);
    expect(world.requests[0]?.init.headers).toEqual({ cookie: 'a=1', 'content-type': 'text/plain;charset=UTF-8' });
  });
});

describe('credentials', () => {
  test('are found out by a function, at once or later, before anything is sent', async () => {
    let give = (_: unknown): void => {};
    world.client({ auth: () => new Promise((resolve) => (give = resolve)) });
    await world.run(1_000);
    expect(world.requests).toEqual([]);
    give({ token: 1 });
    await world.run(0);
    expect(world.requests[0]?.frames[0]?.[1]).toMatchObject({ auth: { token: 1 } });
  });

  test('that cannot be found out are asked for again', async () => {
    let asked = 0;
    const auth = () => {
      asked += 1;
      if (asked < 3) throw new Error('not yet');
      return 'token';
    };
    const client = world.client({ auth });
    await world.until(() => client.state.status === 'open');
    expect(asked).toBe(3);
  });

  test('that take too long, or are too long, count as not found', async () => {
    const reasons: string[] = [];
    const onState = (state: ConnectionState) => {
      if (state.status === 'closed' || state.status === 'reconnecting') reasons.push(state.reason);
    };
    let asked = 0;
    const auth = () => {
      asked += 1;
      if (asked === 1) return new Promise(() => {});
      return asked === 2 ? 'x'.repeat(20_000) : 'token';
    };
    const client = world.client({ auth, onState });
    await world.run(29_000);
    expect(asked).toBe(1);
    await world.until(() => client.state.status === 'open');
    expect(asked).toBe(3);
  });

  test('that expire are refreshed within the session, once at a time', async () => {
    const contexts: unknown[] = [];
    const auth = (context: unknown) => `token-${contexts.push(context)}`;
    const client = world.client({ auth });
    client.channel('ticker').on('quote', () => {});
    await world.run(100);
    const refresh = () => [5, 10_000] as const;
    world.tell('ticker', refresh, refresh);
    await world.run(100);
    expect(contexts).toEqual([{ refresh: false }, { refresh: true }]);
    expect(world.frames).toContainEqual([18, expect.any(Number), '', '$auth', 'token-2', 15_000]);
  });
});

describe('reauthenticate()', () => {
  const auths = () => world.frames.filter((frame) => frame[3] === '$auth').map((frame) => frame[4]);

  test('asks for credentials anew and hands them to the server, which answers', async () => {
    const contexts: unknown[] = [];
    const client = world.client({ auth: (context: unknown) => `token-${contexts.push(context)}` });
    await world.run(100);
    let done = false;
    const authenticated = client.reauthenticate().then(() => {
      done = true;
    });
    await world.run(5);
    expect(done).toBe(false);
    await world.run(100);
    await authenticated;
    expect(auths()).toEqual(['token-2']);
    expect(contexts).toEqual([{ refresh: false }, { refresh: true }]);
    world.restart();
    await world.until(() => client.state.status === 'open');
    const attaches = world.requests.flatMap(({ frames: [first] }) => (first?.[0] === 0 ? [first[1]] : []));
    expect(attaches.at(-1)).toMatchObject({ auth: 'token-2' });
    expect(contexts).toHaveLength(2);
  });

  test('rejects with what the server says, or what the function throws; nobody has to hear it', async () => {
    world.answer = ([, id]) => [20, id, 'unauthorized', 'who?', false];
    let broken = false;
    const auth = () => {
      if (broken) throw new TypeError('a bug');
      return 'token';
    };
    const client = world.client({ auth });
    await world.run(100);
    void client.reauthenticate();
    const refused = expect(client.reauthenticate()).rejects.toMatchObject({ code: 'unauthorized' });
    await world.run(100);
    await refused;
    expect(auths()).toHaveLength(1);
    broken = true;
    await expect(client.reauthenticate()).rejects.toThrow('a bug');
    expect(client.state.status).toBe('open');
  });

  test('is settled by whatever becomes of the client meanwhile', async () => {
    let give = (_: unknown): void => {};
    let asked = 0;
    const auth = () => {
      asked += 1;
      return asked === 1 ? 'token' : new Promise((resolve) => (give = resolve));
    };
    const client = world.client({ auth });
    await world.run(100);
    const refused = expect(client.reauthenticate()).rejects.toMatchObject({ code: 'disconnected' });
    client.close();
    give('late');
    await refused;
  });
});

describe('use()', () => {
  test('switches to a transport and back, and says when that is done', async () => {
    const client = world.client();
    await world.until(() => client.diagnose().transport === 'websocket');
    const seen: unknown[] = [];
    for (const transport of ['poll', 'stream', 'websocket'] as const) {
      const switched = client.use(transport).then(() => seen.push(client.diagnose().transport));
      await world.run(3_000);
      await switched;
    }
    expect(seen).toEqual(['poll', 'stream', 'websocket']);
    expect(client.diagnose().choice).toBe('websocket');
    await client.use('auto');
    expect(client.diagnose().choice).toBe('auto');
  });

  test('rejects where a transport cannot be proven, and allows again what was allowed before', async () => {
    world.webSockets = false;
    const client = world.client({ transports: ['poll', 'websocket'] });
    await world.run(1_000);
    const refused = expect(client.use('websocket', { timeoutMs: 5_000 })).rejects.toMatchObject({
      code: 'transport_unavailable',
    });
    expect(client.diagnose().choice).toBe('websocket');
    await world.run(6_000);
    await refused;
    expect(client.diagnose()).toMatchObject({ choice: 'auto', transport: 'poll' });
  });

  test('gives way to another', async () => {
    world.webSockets = false;
    const client = world.client();
    await world.run(100);
    const first = expect(client.use('websocket')).rejects.toMatchObject({ code: 'canceled' });
    const second = client.use('poll');
    await world.run(100);
    await first;
    await second;
    await world.run(20_000);
    expect(client.diagnose().choice).toBe('poll');
  });

  test('has no effect on others where a transport is pinned from the start', async () => {
    const client = world.client({ transports: ['poll'] });
    await world.run(10_000);
    expect(world.sockets).toEqual([]);
    expect(client.diagnose().transport).toBe('poll');
  });

  test('knows its transports', () => {
    expect(() => world.client({ transports: [] })).toThrow(TypeError);
    expect(() => world.client({ transports: ['carrier-pigeon' as never] })).toThrow(TypeError);
  });
});

describe('close()', () => {
  test('says goodbye, refuses what is called afterwards, and can be followed by connect()', async () => {
    const client = world.client();
    const room = client.channel('room/:roomId', { roomId: 'lobby' });
    const heard: unknown[] = [];
    room.on('message', (message) => heard.push(message));
    await world.until(() => client.diagnose().transport === 'websocket');
    client.close();
    const closed = { status: 'closed', willReconnect: false, code: 'closed', reason: 'closed by the application' };
    expect(client.state).toEqual(closed);
    expect(world.sockets[0]?.sent.at(-1)).toContain('[4,"closed"');
    await expect(room.publish('message', { text: 'late' })).rejects.toMatchObject({ code: 'disconnected' });
    expect(room.state).toMatchObject({ status: 'failed', code: 'closed' });
    await expect(room.ready()).rejects.toMatchObject({ code: 'closed' });
    const connected = client.connect();
    await world.run(1_000);
    await connected;
    expect(room.state).toMatchObject({ status: 'subscribed' });
    world.broadcast('room/lobby', 0, { text: 'again' });
    await world.run(100);
    expect(heard).toEqual([{ text: 'again' }]);
  });

  test('lets its last word come late, whatever the next session does meanwhile', async () => {
    const client = world.client({ transports: ['poll'] });
    await world.run(100);
    world.delayMs = 30;
    client.close();
    world.delayMs = 10;
    void client.connect();
    const published = client.channel('room/:roomId', { roomId: 'lobby' }).publish('message', { text: 'hi' });
    await world.run(1_000);
    await published;
    const posts = world.requests.filter(({ frames }) => frames.some(([type]) => type === 22));
    expect(posts).toHaveLength(1);
  });

  test('gives up what is under way', async () => {
    const client = world.client();
    await world.run(15);
    client.close();
    expect(world.requests[0]?.init.signal?.aborted).toBe(true);
    expect(world.sockets[0]?.closed).toMatchObject({ code: 1000 });
  });

  test('keeps the transport that use() has chosen for the next session', async () => {
    const client = world.client();
    await world.run(100);
    void client.use('poll');
    await world.run(100);
    client.close();
    void client.connect();
    await world.run(10_000);
    expect(client.diagnose().transport).toBe('poll');
  });

  test('in the turn of createClient is the end of it', async () => {
    const client = world.client();
    client.close();
    await world.run(1_000);
    expect(client.state.status).toBe('closed');
    expect(world.requests).toEqual([]);
  });

  test('settles all that waits, and does nothing the second time', async () => {
    const client = world.client({ autoConnect: false });
    const room = client.channel('room/:roomId', { roomId: 'lobby' });
    const states: string[] = [];
    client.onState(({ status }) => states.push(status));
    world.online = false;
    const hi = { text: 'hi' };
    const told: string[] = [];
    room.observe().subscribe({ complete: () => told.push('complete') });
    const waiting = Promise.allSettled([
      client.connect(),
      client.use('poll'),
      client.reauthenticate(),
      room.ready(),
      room.presence.enter({ color: 'red' }),
      room.presence.occupancy(),
      room.publish('message', hi),
      room.request('edit', { id: '1' }),
      room.history(),
      room.iterate('ask', { prompt: 'why?' }).next(),
      room.iterate('ask', { prompt: 'why?' }).output,
      room.messages().next(),
    ]);
    await world.run(100);
    client.close();
    const outcomes = (await waiting).map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : outcome.value,
    );
    expect(outcomes).toEqual([
      ...['closed', 'closed', 'disconnected', 'closed', 'closed'],
      ...['disconnected', 'disconnected', 'disconnected', 'disconnected', 'disconnected', 'disconnected'],
      { done: true, value: undefined },
    ]);
    expect(told).toEqual(['complete']);
    client.close();
    expect([...new Set(states)]).toEqual(['connecting', 'closed']);
    expect(states.filter((status) => status === 'closed')).toHaveLength(1);
  });

  test('is what the end of a block with `using` does', async () => {
    const client = world.client();
    const room = client.channel('room/:roomId', { roomId: 'lobby' });
    await Promise.all([room.ready(), world.run(100)]);
    room[Symbol.dispose]();
    await world.run(100);
    expect(room.state.status).toBe('idle');
    client[Symbol.dispose]();
    expect(client.state.status).toBe('closed');
    void client.connect();
    await world.run(100);
    await client[Symbol.asyncDispose]();
    expect(client.state.status).toBe('closed');
  });

  test('leaves nothing that would keep a process or a page busy', async () => {
    let timers = 0;
    const after = (ms: number, run: () => void) => {
      timers += 1;
      let open = true;
      const settle = () => {
        if (open) timers -= 1;
        open = false;
      };
      const callOff = world.time.after(ms, () => {
        settle();
        run();
      });
      return () => {
        settle();
        callOff();
      };
    };
    const client = world.client({ auth: () => 'token', environment: { after } });
    await world.run(1_000);
    expect([timers, world.watchers]).toEqual([1, 1]);
    client.close();
    expect([timers, world.watchers]).toEqual([0, 0]);
    void client.connect();
    await world.run(1_000);
    expect([timers, world.watchers]).toEqual([1, 1]);
  });

  test('is what happens when the page is left', async () => {
    const client = world.client();
    await world.run(1_000);
    world.leave();
    expect(client.state.status).toBe('closed');
  });

  test('may be called by a handler, and happens when all handlers have heard', async () => {
    const client = world.client();
    const ticker = client.channel('ticker');
    const seen: string[] = [];
    ticker.on('quote', () => client.close());
    ticker.on('quote', () => seen.push(client.state.status));
    await world.run(1_000);
    world.broadcast('ticker', 0, { symbol: 'A', price: 1 });
    world.broadcast('ticker', 0, { symbol: 'A', price: 2 });
    await world.run(100);
    expect(seen).toEqual(['open']);
    expect(client.state.status).toBe('closed');
  });
});

describe('a client that was away', () => {
  /** One that has found out that WebSockets do not get through, and will not try again soon. */
  async function resigned(environment: Partial<Environment> = {}): Promise<Client<AppContract>> {
    world.webSockets = false;
    const client = world.client({ environment });
    await world.run(120_000);
    world.webSockets = true;
    await world.run(1_000);
    expect(client.diagnose().transport).toBe('stream');
    return client;
  }

  test('because the machine slept, looks around at once', async () => {
    const client = await resigned();
    world.sleptMs += 5_000;
    client.channel('ticker').on('quote', () => {});
    await world.run(1_000);
    expect(client.diagnose().transport).toBe('websocket');
  });

  test('because its timers were held back, looks around at once', async () => {
    let lateMs = 0;
    const client = await resigned({ after: (ms, run) => world.time.after(ms + lateMs, run) });
    lateMs = 5_000;
    await world.run(30_000);
    expect(client.diagnose().transport).toBe('websocket');
  });

  test('because the page was hidden, looks around at once', async () => {
    const client = await resigned();
    world.wake();
    await world.run(1_000);
    expect(client.diagnose().transport).toBe('websocket');
  });

  test('because there was no network, is back as soon as that is', async () => {
    const client = world.client();
    await world.until(() => client.diagnose().transport === 'websocket');
    world.online = false;
    world.sockets[0]?.break();
    await world.run(60_000);
    expect(client.state.status).toBe('reconnecting');
    world.online = true;
    world.wake();
    await world.run(100);
    expect(client.state).toMatchObject({ status: 'open', resumed: true });
  });

  test('keeps what it has tried within bounds', async () => {
    const client = world.client();
    await world.run(1_000);
    world.online = false;
    world.sockets[0]?.break();
    await world.run(2_000_000);
    expect(client.diagnose().attempts).toHaveLength(100);
  });
});
