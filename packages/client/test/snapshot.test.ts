import { beforeEach, describe, expect, test } from 'vitest';
import type { Client, ClientChannel } from '../src/index.ts';
import type { AppContract } from './app-contract.ts';
import { World } from './world.ts';

let world: World;
let client: Client<AppContract>;
let ticker: ClientChannel<AppContract, 'ticker'>;

const position = { epoch: 'e', offset: 0 };

beforeEach(async () => {
  world = new World();
  world.greeting = (n) => [
    [25, n, { prices: [1, 2] }],
    [16, n, 1, 0, { symbol: 'A', price: 3 }],
  ];
  client = world.client();
  await world.until(() => client.diagnose().transport === 'websocket');
  ticker = client.channel('ticker');
});

describe('a snapshot', () => {
  test('comes before the messages that follow it, and subscribes', async () => {
    const heard: unknown[] = [];
    ticker.on('quote', ({ price }) => heard.push(price));
    const off = ticker.onSnapshot(({ prices }, at) => heard.push(prices, at));
    await world.run(100);
    expect(heard).toEqual([[1, 2], { position }, 3]);
    off();
    world.tell('ticker', (n) => [25, n, { prices: [] }]);
    await world.run(100);
    expect(heard).toHaveLength(3);
  });

  test('holds the subscription', async () => {
    const off = ticker.onSnapshot(() => {});
    await world.run(100);
    expect(world.frames.at(-1)?.[0]).toBe(28);
    off();
    await world.run(100);
    expect(world.frames.at(-1)?.[0]).toBe(29);
  });

  test('is kept while the channel is subscribed', async () => {
    client.channel('ticker').onState(() => {});
    expect(ticker.snapshot).toBeUndefined();
    await Promise.all([ticker.ready(), world.run(100)]);
    expect(ticker.snapshot).toEqual({ data: { prices: [1, 2] }, position });
    ticker.close();
    await world.run(100);
    expect(ticker.snapshot).toBeUndefined();
  });

  test('is asked for without a subscription', async () => {
    world.answer = ([, id]) => [19, id, { epoch: 'e', offset: 4, data: { prices: [7] } }];
    const read = ticker.readSnapshot({ timeoutMs: 1_000 });
    await world.run(100);
    expect(await read).toEqual({ data: { prices: [7] }, position: { epoch: 'e', offset: 4 } });
    expect(world.frames).toEqual([[18, expect.any(Number), 'ticker', '$snapshot', null, 1_000]]);
    expect(ticker.snapshot).toBeUndefined();
  });
});
