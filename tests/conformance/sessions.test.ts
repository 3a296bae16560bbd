import { describe, expect, it } from 'vitest';
import {
  Collector,
  condition,
  connect,
  failureOf,
  gate,
  roomOf,
  startProxy,
  statesOf,
  TestServer,
  TRANSPORT_CASES,
  textsOf,
  userNamed,
} from './harness.ts';

describe.each(TRANSPORT_CASES)('over %s', (_over, transports) => {
  it('hands what the client gives as auth to authenticate, with the request', async () => {
    const asked = new Collector<unknown>();
    const server = await TestServer.start({
      authenticate: ({ auth, request }) => {
        asked.push([auth, request?.url, request?.headers['x-app']]);
        return userNamed('ann');
      },
    });
    const client = connect(server, { transports, auth: { token: 't1' }, headers: { 'x-app': 'yes' } });
    await client.connect();
    expect(asked.items[0]).toEqual([{ token: 't1' }, '/realtime', 'yes']);
  });

  it('asks for new credentials when they are refused, once, and connects with those', async () => {
    const server = await TestServer.start({ authenticate: ({ auth }) => (auth === 'new' ? userNamed('ann') : null) });
    const asked: boolean[] = [];
    const auth = async ({ refresh }: { refresh: boolean }): Promise<string> => {
      asked.push(refresh);
      return refresh ? 'new' : 'old';
    };
    const room = roomOf(connect(server, { transports, auth }));
    expect(await room.request('ask', 'in?')).toBe('in?');
    expect(asked).toEqual([false, true]);
  });

  it('closes for good when the new credentials are refused as well', async () => {
    const server = await TestServer.start({ authenticate: () => null });
    const client = connect(server, { transports, auth: () => 'old' });
    const room = roomOf(client);
    const ready = failureOf(room.ready());
    const call = failureOf(room.publish('message', { text: 'a' }));
    expect(await failureOf(client.connect())).toMatchObject({ code: 'unauthorized' });
    expect(client.state).toMatchObject({ status: 'closed', code: 'unauthorized' });
    expect(await call).toMatchObject({ code: 'disconnected' });
    expect(await ready).toMatchObject({ code: 'unauthorized' });
    expect(server.realtime.stats().sessions).toBe(0);
  });

  it('refreshes credentials in band before they expire', async () => {
    let name = 'first';
    const refreshed = gate();
    const server = await TestServer.start({
      authenticate: ({ auth }) => {
        name = auth as string;
        if (name === 'b') refreshed.open();
        return { ...userNamed('ann'), name, expiresInMs: 4_000 };
      },
    });
    const client = connect(server, { transports, auth: ({ refresh }: { refresh: boolean }) => (refresh ? 'b' : 'a') });
    const room = roomOf(client);
    server.onAsk = ({ user }) => user.name;
    expect(await room.request('ask', null)).toBe('a');
    const { attempts } = client.diagnose();
    server.clock.leap(3_000);
    await refreshed.passed;
    expect(await room.request('ask', null)).toBe('b');
    server.clock.leap(2_000);
    expect(await room.request('ask', null)).toBe('b');
    expect(server.ended.items).toEqual([]);
    expect(client.diagnose().attempts.filter(({ outcome }) => outcome === 'failed')).toEqual(
      attempts.filter(({ outcome }) => outcome === 'failed'),
    );
  });

  it('stays closed when it was kicked', async () => {
    const server = await TestServer.start();
    const [ann, bob] = [connect(server, { transports }), connect(server, { transports, user: 'bob' })];
    await Promise.all([roomOf(ann).ready(), roomOf(bob).ready()]);
    await server.sessions.count(2);
    const states = statesOf(ann);
    expect(await server.realtime.user('ann').kick('rude')).toBe(1);
    expect(await states.find(({ status }) => status === 'closed')).toEqual({
      status: 'closed',
      willReconnect: false,
      code: 'kicked',
      reason: 'rude',
    });
    expect(await failureOf(roomOf(ann).publish('message', { text: 'a' }))).toMatchObject({ code: 'disconnected' });
    expect(await roomOf(bob).request('ask', 'still there?')).toBe('still there?');
    expect(ann.state).toMatchObject({ status: 'closed', code: 'kicked' });
    expect(server.ended.items).toMatchObject([{ user: { id: 'ann' }, code: 'kicked' }]);
    expect(await server.realtime.user('ann').sessions()).toEqual([]);
  });

  it('is told that it was kicked when it comes back after its link was lost', async () => {
    const server = await TestServer.start();
    const proxy = await startProxy(server);
    const client = connect(proxy, { transports });
    await roomOf(client).ready();
    await server.firstSession();
    const states = statesOf(client);
    proxy.sever();
    await states.find(({ status }) => status === 'reconnecting');
    await server.realtime.user('ann').kick('rude');
    proxy.refusing = false;
    const settled = await states.until(
      (all) => all.length > 2 && ['open', 'closed'].includes(all.at(-1)?.status ?? ''),
    );
    expect(settled.at(-1)).toMatchObject({ status: 'closed', code: 'kicked' });
  });

  it.each([0, 1, 2, 3, 4, 6, 8])(
    'ends its session at the server at once when it closes, %i turns after it opened',
    async (turns) => {
      const server = await TestServer.start();
      const client = connect(server, { transports });
      await roomOf(client).ready();
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      client.close();
      await condition(
        () => `the session is over: ${JSON.stringify(server.realtime.stats())}`,
        () => server.realtime.stats().sessions === 0,
      );
      expect(client.state).toMatchObject({ status: 'closed', code: 'closed' });
    },
  );

  it('ends a session that carries calls, and settles each of them', async () => {
    const server = await TestServer.start();
    const [begun, aborted] = [gate(), gate()];
    server.onAsk = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          aborted.open();
          reject(signal.reason);
        });
        begun.open();
      });
    const client = connect(server, { transports });
    const answer = failureOf(roomOf(client).request('ask', null));
    await begun.passed;
    client.close();
    expect(await answer).toMatchObject({ code: 'indeterminate' });
    expect(await failureOf(roomOf(client).request('ask', null))).toMatchObject({ code: 'disconnected' });
    await aborted.passed;
    await server.ended.count(1);
    expect(server.ended.items).toMatchObject([{ code: 'closed' }]);
  });

  it('connects again after it was closed, with its channels', async () => {
    const server = await TestServer.start();
    const client = connect(server, { transports });
    const room = roomOf(client);
    const texts = textsOf(room);
    await room.ready();
    client.close();
    await client.connect();
    await room.ready();
    await room.publish('message', { text: 'again' });
    await texts.count(1);
    expect(texts.items).toEqual(['again']);
  });

  it('lets calls come to their end when the server closes, and refuses new ones', async () => {
    const server = await TestServer.start();
    const [begun, end] = [gate(), gate()];
    server.onAsk = async () => {
      begun.open();
      await end.passed;
      return 'done';
    };
    const client = connect(server, { transports });
    const room = roomOf(client);
    const states = statesOf(client);
    const first = room.request('ask', null);
    await begun.passed;
    const stopped = server.stop({ retryMs: 60_000 });
    expect(await failureOf(room.request('ask', null))).toMatchObject({ code: 'server_closing', retryable: true });
    end.open();
    expect(await first).toBe('done');
    await stopped;
    const left = await states.find(({ status }) => status === 'reconnecting');
    expect(left).toMatchObject({ status: 'reconnecting', willReconnect: true, code: 'server_closing' });
    expect(server.realtime.stats()).toMatchObject({ sessions: 0, links: 0 });
  });

  it('tells the app of sessions and their ends', async () => {
    const server = await TestServer.start();
    const client = connect(server, { transports });
    await client.connect();
    const session = await server.firstSession();
    expect(session).toMatchObject({ client: client.diagnose().client, user: { id: 'ann' }, connected: true });
    expect(await server.realtime.user('ann').sessions()).toEqual([session]);
    client.close();
    await server.ended.count(1);
    expect(server.ended.items).toMatchObject([{ client: session.client, code: 'closed' }]);
  });
});
