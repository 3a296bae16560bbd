import type { Gap } from '@runnel/client';
import { describe, expect, it } from 'vitest';
import {
  Collector,
  condition,
  connect,
  failureOf,
  gate,
  startProxy,
  statesOf,
  type TestClient,
  TestServer,
  TRANSPORT_CASES,
} from './harness.ts';

const TTL_MS = 60_000;
/** Small, so that little has to wait for a session to count as slow. */
const LIMITS = { outboxBytes: 65_536, waitingMessages: 50 };

const boardOf = (client: TestClient) => client.channel('board/:id', { id: '1' });
const feedOf = (client: TestClient) => client.channel('feed/:id', { id: '1' });

/** A board as its snapshot and changes make it. */
function fold(board: ReturnType<typeof boardOf>) {
  const state = new Map<string, unknown>();
  const steps = new Collector<string>();
  board.onSnapshot((data) => {
    state.clear();
    for (const [key, value] of Object.entries(data)) state.set(key, value);
    steps.push('snapshot');
  });
  board.on('set', ({ key, value }) => {
    state.set(key, value);
    steps.push(key);
  });
  return { state, steps };
}

describe.each(TRANSPORT_CASES)('over %s', (_over, transports) => {
  it('begins a subscription with the state of the channel', async () => {
    const server = await TestServer.start();
    server.board = () => ({ a: 1, b: 2 });
    const client = connect(server, { transports });
    const { state, steps } = fold(boardOf(client));
    await steps.count(1);
    expect(Object.fromEntries(state)).toEqual({ a: 1, b: 2 });
    expect(boardOf(client).snapshot?.data).toEqual({ a: 1, b: 2 });
    await server.realtime.channel('board/:id', { id: '1' }).broadcast('set', { key: 'a', value: 3 });
    await steps.count(2);
    expect([steps.items, state.get('a')]).toEqual([['snapshot', 'a'], 3]);
  });

  it('leaves nothing between the state and what follows, however long it takes to read', async () => {
    const server = await TestServer.start();
    const reading = gate();
    const read = gate<Record<string, unknown>>();
    server.board = () => {
      reading.open();
      return read.passed;
    };
    const { state, steps } = fold(boardOf(connect(server, { transports })));
    await reading.passed;
    const channel = server.realtime.channel('board/:id', { id: '1' });
    await channel.broadcast('set', { key: 'a', value: 'while it was read' });
    read.open({ a: 'old', b: 'old' });
    await steps.count(2);
    await channel.broadcast('set', { key: 'b', value: 'after' });
    await steps.count(3);
    expect(Object.fromEntries(state)).toEqual({ a: 'while it was read', b: 'after' });
  });

  it('begins with the state again where what was missed cannot be had', async () => {
    const server = await TestServer.start({ limits: { ttlMs: TTL_MS } });
    const proxy = await startProxy(server);
    let value = 1;
    server.board = () => ({ a: value });
    const { state, steps } = fold(boardOf(connect(proxy, { transports })));
    await steps.count(1);
    await server.firstSession();
    proxy.sever();
    value = 2;
    await server.realtime.channel('board/:id', { id: '1' }).broadcast('set', { key: 'a', value });
    await server.expire(TTL_MS);
    proxy.refusing = false;
    await steps.count(2);
    expect([steps.items, state.get('a')]).toEqual([['snapshot', 'snapshot'], 2]);
  });

  it('does not begin anew where nothing was missed', async () => {
    const server = await TestServer.start({ limits: { ttlMs: TTL_MS } });
    const proxy = await startProxy(server);
    const client = connect(proxy, { transports });
    const board = boardOf(client);
    const { steps } = fold(board);
    await steps.count(1);
    const states = statesOf(board);
    await server.firstSession();
    proxy.sever();
    await server.expire(TTL_MS);
    proxy.refusing = false;
    await states.find((state) => state.status === 'subscribed' && state.recovered === true);
    await server.realtime.channel('board/:id', { id: '1' }).broadcast('set', { key: 'a', value: 1 });
    await steps.count(2);
    expect(steps.items).toEqual(['snapshot', 'a']);
  });

  it('reads the state when asked for it', async () => {
    const server = await TestServer.start();
    server.board = () => ({ a: 1 });
    const board = boardOf(connect(server, { transports }));
    const { data, position } = await board.readSnapshot();
    expect([data, position.offset]).toEqual([{ a: 1 }, 0]);
    server.board = () => Promise.reject(new Error('the database is gone'));
    expect(await failureOf(board.readSnapshot())).toMatchObject({ code: 'handler_failed' });
    expect(server.errors.items).toHaveLength(1);
  });

  it('tells a slow reader the newest of each key, and what was skipped', async () => {
    const server = await TestServer.start({ limits: LIMITS });
    const proxy = await startProxy(server);
    const board = boardOf(connect(proxy, { transports }));
    const { state, steps } = fold(board);
    const gaps = new Collector<Gap>();
    board.onGap(gaps.push);
    await steps.count(1);
    proxy.stalled.down = true;
    const channel = server.realtime.channel('board/:id', { id: '1' });
    const long = 'x'.repeat(500);
    let last = 0;
    for (let n = 1; n <= 600; n += 1)
      last = (await channel.broadcast('set', { key: `k${n % 3}`, value: `${n} ${long}` }))?.offset ?? 0;
    proxy.stalled.down = false;
    proxy.release();
    await condition('the newest has come', () => board.position?.offset === last);
    expect([...state.values()].map((value) => String(value).split(' ')[0]).sort()).toEqual(['598', '599', '600']);
    expect(gaps.items.length).toBeGreaterThan(0);
    const skipped = gaps.items.reduce((sum, gap) => sum + (gap.reason === 'skipped' ? gap.to - gap.from + 1 : 0), 0);
    // Every offset either came or was declared.
    expect(skipped + steps.items.length - 1).toBe(600);
  });

  it('drops the oldest for a slow reader where the contract says so, and tells which', async () => {
    const server = await TestServer.start({ limits: LIMITS });
    const proxy = await startProxy(server);
    const feed = feedOf(connect(proxy, { transports }));
    const items = new Collector<number>();
    const gaps = new Collector<Gap>();
    feed.on('item', items.push);
    feed.onGap(gaps.push);
    await feed.ready();
    proxy.stalled.down = true;
    const channel = server.realtime.channel('feed/:id', { id: '1' });
    for (let n = 1; n <= 5_000; n += 1) await channel.broadcast('item', n);
    proxy.stalled.down = false;
    proxy.release();
    await items.find((n) => n === 5_000);
    expect(items.items.slice(-50)).toEqual(Array.from({ length: 50 }, (_, i) => 4_951 + i));
    const skipped = gaps.items.reduce((sum, gap) => sum + (gap.reason === 'skipped' ? gap.to - gap.from + 1 : 0), 0);
    expect(skipped).toBeGreaterThan(0);
    expect(skipped + items.items.length).toBe(5_000);
  });
});
