import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client, ClientChannel } from '../../src/index.ts';
import { anyChannel } from '../../src/react/any-channel.ts';
import { type AnyReducers, SnapshotFold } from '../../src/react/snapshot-fold.ts';
import type { AppContract } from '../app-contract.ts';
import { RecoveringWorld } from './recovering-world.ts';
import { WatchedStore } from './watched-store.ts';

interface Prices {
  readonly prices: readonly number[];
}

let world: RecoveringWorld;
let client: Client<AppContract>;
let ticker: ClientChannel<AppContract, 'ticker'>;
/** Ids of the requests for a snapshot. */
let asked: number[];

/** Adds the price, so that an event shows that is folded twice or not at all. */
const append: AnyReducers = {
  quote: (state, data) => ({ prices: [...(state as Prices).prices, (data as { price: number }).price] }),
};

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  world = new RecoveringWorld();
  asked = [];
  world.greeting = (n) => [[25, n, { prices: [0] }]];
  world.answer = ([, id, , method]) => {
    if (method === '$snapshot') asked.push(id);
    return null;
  };
  client = world.client();
  await world.until(() => client.diagnose().transport === 'websocket');
  ticker = client.channel('ticker');
});
afterEach(() => {
  vi.useRealTimers();
});

function watch(reducers: AnyReducers = append): WatchedStore<unknown> {
  const channel = anyChannel(client.channel('ticker'));
  return new WatchedStore(new SnapshotFold(channel, Object.keys(reducers), { current: reducers }));
}

/** Somebody else has subscribed the channel already, and it has had these. */
async function busy(...prices: number[]): Promise<void> {
  ticker.on('quote', () => {});
  await world.run(100);
  await quote(...prices);
}

async function quote(...prices: number[]): Promise<void> {
  for (const price of prices) world.broadcast('ticker', 0, { symbol: 'A', price });
  await world.run(100);
}

/** Answers the latest request for a snapshot. */
async function answer(offset: number, ...prices: number[]): Promise<void> {
  world.reply([19, asked.at(-1) ?? 0, { epoch: 'e', offset, data: { prices } }]);
  await world.run(100);
}

/** All sessions are lost, and the channel is subscribed in a new one. */
async function lose(): Promise<void> {
  world.restart();
  await world.run(1);
  await world.until(() => client.state.status === 'open' && ticker.state.status === 'subscribed');
  await world.run(100);
}

/** Does something when the ticker has to be subscribed anew and is not yet. */
function whileSubscribing(run: () => void): void {
  ticker.onState(({ status }) => {
    if (status === 'subscribing') run();
  });
}

describe('a fold', () => {
  test('is undefined until the snapshot comes, and has what follows', async () => {
    const fold = watch();
    expect(fold.now).toBeUndefined();
    await world.run(100);
    await quote(1, 2);
    expect(fold.seen).toEqual([undefined, { prices: [0] }, { prices: [0, 1] }, { prices: [0, 1, 2] }]);
    expect(asked).toEqual([]);
  });

  test('is the snapshot alone without reducers, and is left as it is by events that have none', async () => {
    const [still, deaf] = [watch({}), watch({ quote: undefined })];
    await world.run(100);
    await quote(1);
    expect([still.now, deaf.now]).toEqual([{ prices: [0] }, { prices: [0] }]);
  });

  test('is made by the reducers of the last render', async () => {
    const latest = { current: append };
    const fold = new WatchedStore(new SnapshotFold(anyChannel(ticker), ['quote'], latest));
    await world.run(100);
    latest.current = { quote: () => null };
    await quote(1);
    expect(fold.now).toBeNull();
  });

  test('is of no channel while there is none', () => {
    expect(new WatchedStore(new SnapshotFold(null, [], { current: {} })).now).toBeUndefined();
  });
});

describe('a fold that comes to a subscription', () => {
  test('has the snapshot at once, where nothing has come after it', async () => {
    await busy();
    const fold = watch();
    expect(fold.seen).toEqual([{ prices: [0] }]);
    await quote(1);
    expect(fold.now).toEqual({ prices: [0, 1] });
    expect(asked).toEqual([]);
  });

  test('asks for one, and folds what has come meanwhile that is not in it', async () => {
    await busy(1);
    const fold = watch();
    await quote(2, 3, 4);
    expect(fold.now).toBeUndefined();
    await answer(3, 0, 1, 2, 3);
    await quote(5);
    expect(fold.seen).toEqual([undefined, { prices: [0, 1, 2, 3, 4] }, { prices: [0, 1, 2, 3, 4, 5] }]);
    expect(asked).toHaveLength(1);
  });

  test('folds volatile events, which have no place, into whatever comes', async () => {
    await busy(1);
    const fold = watch();
    world.tell('ticker', (n) => [9, n, 0, { symbol: 'A', price: 7 }]);
    await world.run(100);
    await answer(9, 1);
    expect(fold.now).toEqual({ prices: [1, 7] });
  });

  test('asks again where a failure may pass, after a while', async () => {
    await busy(1);
    const fold = watch();
    await world.run(100);
    world.reply([20, asked[0] ?? 0, 'handler_failed', 'no', true]);
    await world.run(100);
    vi.advanceTimersByTime(999);
    await world.run(100);
    expect(asked).toHaveLength(1);
    vi.advanceTimersByTime(1);
    await world.run(100);
    await answer(1, 0, 1);
    expect(fold.now).toEqual({ prices: [0, 1] });
  });

  test('asks again where it could not keep all that has come meanwhile', async () => {
    await busy(1);
    const fold = watch();
    const many = Array.from({ length: 1_001 }, (_, i) => i + 2);
    await quote(...many);
    await answer(1, 0, 1);
    expect(fold.now).toBeUndefined();
    expect(asked).toHaveLength(2);
    await answer(1_001, 0);
    expect(fold.now).toEqual({ prices: [0, 1_002] });
  });

  test('and leaves it, has no use for the answer', async () => {
    await busy(1);
    const fold = watch();
    await world.run(100);
    fold.unmount();
    await world.run(100);
    expect(world.frames.at(-1)).toEqual([21, asked[0]]);
    await answer(1, 0, 1);
    expect(fold.now).toBeUndefined();
  });

  test('and comes again, begins anew', async () => {
    await busy(1);
    const fold = watch();
    world.tell('ticker', (n) => [9, n, 0, { symbol: 'A', price: 7 }]);
    await world.run(100);
    fold.unmount();
    fold.mount();
    await world.run(100);
    expect(asked).toHaveLength(2);
    await answer(1, 0, 1);
    expect(fold.now).toEqual({ prices: [0, 1] });
  });

  test('that it left before has what it had until it knows better', async () => {
    await busy();
    const fold = watch();
    fold.unmount();
    await quote(1);
    fold.mount();
    await quote(2);
    expect(fold.seen).toEqual([{ prices: [0] }]);
    await answer(2, 0, 1, 2);
    expect(fold.now).toEqual({ prices: [0, 1, 2] });
  });
});

describe('a fold after a lost session', () => {
  test('goes on where it was, if the subscription does', async () => {
    const fold = watch();
    await world.run(100);
    await quote(1);
    world.recovered = true;
    await lose();
    await quote(2);
    expect(fold.now).toEqual({ prices: [0, 1, 2] });
    expect(asked).toEqual([]);
  });

  test('begins anew where the position was lost, and is never made of what has a gap', async () => {
    const fold = watch();
    await world.run(100);
    await quote(1);
    world.recovered = false;
    await lose();
    await quote(3);
    expect(fold.now).toEqual({ prices: [0, 1] });
    world.tell('ticker', (n) => [25, n, { prices: [0, 1, 2, 3] }]);
    await quote(4);
    expect(fold.seen.slice(-2)).toEqual([{ prices: [0, 1, 2, 3] }, { prices: [0, 1, 2, 3, 4] }]);
    expect(asked).toEqual([]);
  });

  test('asks for a snapshot, where the subscription that it has come to goes on', async () => {
    await busy(1);
    world.recovered = true;
    const folds: WatchedStore<unknown>[] = [];
    whileSubscribing(() => folds.push(watch()));
    await lose();
    await answer(1, 0, 1);
    expect(folds.map(({ now }) => now)).toEqual([{ prices: [0, 1] }]);
    expect(asked).toHaveLength(1);
  });
});

describe('a fold of which messages were skipped', () => {
  const skip = async (from: number): Promise<void> => {
    const channel = world.channels.get('ticker');
    if (channel !== undefined) channel.offset = from;
    world.tell('ticker', (n) => [23, n, from, from]);
    await world.run(100);
  };

  test('goes on with what comes, and asks for a snapshot when all is quiet', async () => {
    const fold = watch();
    await world.run(100);
    await skip(1);
    vi.advanceTimersByTime(999);
    await skip(2);
    await quote(3);
    expect(fold.now).toEqual({ prices: [0, 3] });
    vi.advanceTimersByTime(999);
    await world.run(100);
    expect(asked).toEqual([]);
    vi.advanceTimersByTime(1);
    await quote(4);
    expect(fold.now).toEqual({ prices: [0, 3, 4] });
    await answer(3, 0, 1, 2, 3);
    expect(fold.now).toEqual({ prices: [0, 1, 2, 3, 4] });
  });

  test('asks when the session is there again', async () => {
    const fold = watch();
    await world.run(100);
    await skip(1);
    world.recovered = true;
    whileSubscribing(() => vi.advanceTimersByTime(1_000));
    await lose();
    await answer(1, 0, 1);
    expect(fold.now).toEqual({ prices: [0, 1] });
  });

  test('asks nothing when nobody looks any more', async () => {
    const fold = watch();
    await busy();
    await skip(1);
    fold.unmount();
    expect(vi.getTimerCount()).toBe(0);
    await world.run(100);
    expect(asked).toEqual([]);
  });
});
