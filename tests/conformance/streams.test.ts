import { describe, expect, it } from 'vitest';
import { Collector, connect, failureOf, gate, roomOf, startProxy, TestServer, TRANSPORT_CASES } from './harness.ts';

const TTL_MS = 60_000;

describe.each(TRANSPORT_CASES)('over %s', (_over, transports) => {
  it('streams an answer: its parts in order, then what it ends with', async () => {
    const server = await TestServer.start();
    const answer = roomOf(connect(server, { transports })).iterate('count', { to: 1_000 });
    let expected = 1;
    for await (const n of answer) expect(n).toBe(expected++);
    expect(expected).toBe(1_001);
    expect(await answer.output).toBe('done');
  });

  it('asks the handler for no more parts than the reader has room for', async () => {
    const server = await TestServer.start();
    const asked = new Collector<number>();
    server.onCount = async function* () {
      for (let n = 1; ; n += 1) {
        asked.push(n);
        yield n;
      }
    };
    const room = roomOf(connect(server, { transports }));
    const answer = room.iterate('count', { to: 0 }, { ahead: 8 });
    await asked.count(8);
    // An answer that comes after shows that nothing else was about to happen.
    await room.request('wake');
    expect(asked.items.length).toBeLessThanOrEqual(9);
    for (let n = 1; n <= 20; n += 1) expect((await answer.next()).value).toBe(n);
    await asked.count(20);
    await room.request('wake');
    expect(asked.items.length).toBeLessThanOrEqual(29);
    await answer.return();
  });

  it('ends the handler when the reader leaves', async () => {
    const server = await TestServer.start();
    const ended = gate<boolean>();
    server.onCount = async function* ({ signal }) {
      try {
        for (let n = 1; ; n += 1) yield n;
      } finally {
        ended.open(signal.aborted);
      }
    };
    const room = roomOf(connect(server, { transports }));
    for await (const n of room.iterate('count', { to: 0 })) if (n === 3) break;
    expect(await ended.passed).toBe(true);
    expect(await room.request('ask', 1)).toBe(1);
  });

  it('fails a stream as its handler does, after the parts that came before', async () => {
    const server = await TestServer.start();
    server.onCount = async function* ({ fail }) {
      yield 1;
      yield 2;
      return fail('stuck', { at: 2 });
    };
    const answer = roomOf(connect(server, { transports })).iterate('count', { to: 0 });
    expect([(await answer.next()).value, (await answer.next()).value]).toEqual([1, 2]);
    expect(await failureOf(answer.next())).toMatchObject({ code: 'stuck', data: { at: 2 } });
    expect(await failureOf(answer.output)).toMatchObject({ code: 'stuck' });
  });

  it('runs streams and other calls beside each other', async () => {
    const server = await TestServer.start();
    const room = roomOf(connect(server, { transports }));
    const read = async (to: number): Promise<number> => {
      let sum = 0;
      for await (const n of room.iterate('count', { to })) sum += n;
      return sum;
    };
    expect(await Promise.all([read(300), room.request('ask', 'a'), read(200), read(1)])).toEqual([
      45_150,
      'a',
      20_100,
      1,
    ]);
  });

  it('goes on after its link was lost, with no part lost or repeated', async () => {
    const server = await TestServer.start();
    const proxy = await startProxy(server);
    const answer = roomOf(connect(proxy, { transports })).iterate('count', { to: 400 }, { ahead: 16 });
    const seen: number[] = [];
    for await (const n of answer) {
      seen.push(n);
      if (n % 100 === 0) proxy.cutAll();
    }
    expect(seen).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
  });

  it('times out where no part comes, and not while the reader takes its time', async () => {
    const server = await TestServer.start();
    const stuck = gate();
    server.onCount = async function* () {
      yield 1;
      yield 2;
      await stuck.passed;
      return 'never';
    };
    const answer = roomOf(connect(server, { transports })).iterate('count', { to: 0 }, { ahead: 2, timeoutMs: 1_000 });
    expect((await answer.next()).value).toBe(1);
    expect((await answer.next()).value).toBe(2);
    expect(await failureOf(answer.next())).toMatchObject({ code: 'timeout' });
    stuck.open();
  });

  it('runs what is idempotent again after its session was lost', async () => {
    const server = await TestServer.start({ limits: { ttlMs: TTL_MS } });
    const proxy = await startProxy(server);
    const asked = new Collector<string>();
    const never = gate<string>();
    server.onLook = () => {
      asked.push('asked');
      return asked.items.length === 1 ? never.passed : 'seen';
    };
    const room = roomOf(connect(proxy, { transports }));
    const answer = room.request('look');
    await asked.count(1);
    proxy.sever();
    await server.expire(TTL_MS);
    proxy.refusing = false;
    expect(await answer).toBe('seen');
    expect(asked.items).toHaveLength(2);
    never.open('late');
  });
});
