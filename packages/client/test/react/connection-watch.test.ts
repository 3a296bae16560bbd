import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client, ConnectionState } from '../../src/index.ts';
import { ConnectionWatch } from '../../src/react/connection-watch.ts';
import type { AppContract } from '../app-contract.ts';
import { World } from '../world.ts';
import { WatchedStore } from './watched-store.ts';

let world: World;
let client: Client<AppContract>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  world = new World();
  client = world.client({ transports: ['websocket'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const watch = (lostAfterMs = 2_000) => new WatchedStore(new ConnectionWatch(client, lostAfterMs));

/** The network is gone, and the client has noticed. */
async function unplug(): Promise<void> {
  world.online = false;
  world.webSockets = false;
  for (const socket of world.sockets) socket.break();
  await world.until(() => client.state.status === 'reconnecting');
}

async function plug(): Promise<void> {
  world.online = true;
  world.webSockets = true;
  world.wake();
  await world.until(() => client.state.status === 'open');
}

describe('a connection', () => {
  test('is shown as it comes and ends', async () => {
    client = world.client({ transports: ['websocket'] });
    const connection = watch();
    await world.until(() => client.state.status === 'open');
    client.close('for today');
    const down = { transport: null, willReconnect: true, code: null, reason: null, retryAt: null };
    expect(connection.seen).toEqual([
      { ...down, status: 'idle', willReconnect: false },
      { ...down, status: 'connecting' },
      { ...down, status: 'open', transport: 'websocket' },
      { ...down, status: 'closed', willReconnect: false, code: 'closed', reason: 'for today' },
    ]);
  });

  test('that is back in a moment was never lost', async () => {
    const connection = watch();
    await world.until(() => client.state.status === 'open');
    await unplug();
    vi.advanceTimersByTime(1_999);
    await plug();
    vi.advanceTimersByTime(10_000);
    const statuses = connection.seen.map((seen) => (seen as { status: string }).status);
    expect(statuses).toEqual(expect.arrayContaining(['reconnecting', 'open']));
    expect(statuses).not.toContain('lost');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is lost when it stays away, however often it is tried', async () => {
    const connection = watch();
    await world.until(() => client.state.status === 'open');
    await unplug();
    vi.advanceTimersByTime(1_000);
    await world.run(5_000);
    const { code, reason, retryAt } = client.state as Extract<ConnectionState, { status: 'reconnecting' }>;
    const parts = { transport: null, willReconnect: true, code, reason, retryAt };
    expect(connection.now).toEqual({ status: 'reconnecting', ...parts });
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(connection.seen.at(-1)).toMatchObject({ status: 'lost', willReconnect: true, transport: null });
    await world.run(5_000);
    expect(connection.now).toMatchObject({ status: 'lost' });
    await plug();
    expect(connection.now).toMatchObject({ status: 'open' });
    await unplug();
    expect(connection.now).toMatchObject({ status: 'reconnecting' });
  });

  test('is the same object until something about it changes', async () => {
    const connection = watch();
    await world.until(() => client.state.status === 'open');
    await unplug();
    expect(connection.now).toBe(connection.now);
    const seen = new Set(connection.seen.map((one) => JSON.stringify(one)));
    expect(seen.size).toBe(connection.seen.length);
  });

  test('leaves no timer behind', async () => {
    const connection = watch(Number.POSITIVE_INFINITY);
    await world.until(() => client.state.status === 'open');
    await unplug();
    expect(vi.getTimerCount()).toBe(1);
    connection.unmount();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is never lost before a time that cannot be', () => {
    expect(() => watch(-1)).toThrow(RangeError);
    expect(() => watch(Number.NaN)).toThrow(RangeError);
  });
});
