import { Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import { memoryBroker } from '../src/brokers/memory.ts';
import { Gates } from './gates.ts';
import { Harness, type HarnessOptions, type TestClient } from './harness.ts';
import { lossyContract, type Quote } from './lossy-contract.ts';
import { turn, VirtualClock } from './virtual-clock.ts';

type Name = 'prices' | 'ticker' | 'feed' | 'kept' | 'plain';

function setUp(options: HarnessOptions = {}, authorize?: () => boolean): Harness {
  const harness = new Harness({ contract: lossyContract, ...options });
  for (const name of ['prices', 'ticker', 'feed', 'kept', 'plain']) {
    harness.app.handlers.add(name, authorize === undefined ? { open: true } : { authorize });
  }
  return harness;
}
const send = (harness: Harness, channel: Name, event: string, data: unknown) =>
  harness.app.channel(channel, {}).broadcast(event, data);
const quote = (harness: Harness, symbol: Quote['symbol'], price: number, channel: Name = 'prices') =>
  send(harness, channel, 'quote', { symbol, price });
const item = (harness: Harness, data: number, channel: Name = 'feed') => send(harness, channel, 'item', data);

/** A client that follows the channel and takes nothing more. */
async function slowOn(harness: Harness, channel: Name): Promise<TestClient> {
  const client = await harness.connect('ann');
  await client.answer(client.subscribe(channel));
  client.congested = true;
  return client;
}

/** What came of a channel's messages: `[offset, data]`, or `'from-to'` for what is said to be skipped. */
function told(client: TestClient): unknown[] {
  return client.frames.flatMap((frame): unknown[] => {
    if (frame[0] === Type.skipped) return [`${frame[2]}-${frame[3]}`];
    return frame[0] === Type.message ? [[frame[2], frame[4]]] : [];
  });
}

async function drained(client: TestClient): Promise<unknown[]> {
  client.drain();
  await turn();
  return told(client);
}

describe('a channel with latestBy, to a slow session', () => {
  it('keeps the newest per key, and every other message', async () => {
    const harness = setUp();
    const ann = await slowOn(harness, 'prices');
    await quote(harness, 'a', 1);
    await quote(harness, 'b', 2);
    await send(harness, 'prices', 'trade', 3);
    await quote(harness, 'a', 4);
    await send(harness, 'prices', 'trade', 5);
    await quote(harness, 'a', 6);
    await turn();
    expect(told(ann)).toEqual([]);
    expect(await drained(ann)).toEqual([
      '1-1',
      [2, { symbol: 'b', price: 2 }],
      [3, 3],
      '4-4',
      [5, 5],
      [6, { symbol: 'a', price: 6 }],
    ]);
  });

  it('counts nothing that waits', async () => {
    const harness = setUp();
    const ann = await slowOn(harness, 'prices');
    const { tx } = ann.session.ledger;
    for (let price = 0; price < 50; price += 1) await quote(harness, 'a', price);
    expect(ann.session.ledger.tx).toBe(tx);
    await drained(ann);
    expect(ann.session.ledger.tx).toBe(tx + 2);
  });

  it('sends straight on as soon as nothing waits', async () => {
    const harness = setUp();
    const ann = await slowOn(harness, 'prices');
    await quote(harness, 'a', 1);
    await quote(harness, 'a', 2);
    expect(await drained(ann)).toEqual(['1-1', [2, { symbol: 'a', price: 2 }]]);
    for (const price of [3, 4]) await quote(harness, 'a', price);
    await turn();
    expect(told(ann).slice(2)).toEqual([
      [3, { symbol: 'a', price: 3 }],
      [4, { symbol: 'a', price: 4 }],
    ]);
  });

  it('keeps the order of what comes after the session has drained and before the turn ends', async () => {
    const harness = setUp();
    const ann = await slowOn(harness, 'prices');
    await quote(harness, 'a', 1);
    ann.drain();
    await quote(harness, 'b', 2);
    await turn();
    expect(ann.offsets).toEqual([1, 2]);
  });

  it('sends all to those who are not slow', async () => {
    const harness = setUp();
    await slowOn(harness, 'prices');
    const bob = await harness.connect('bob', [[1, 'prices', {}]]);
    for (const price of [1, 2, 3]) await quote(harness, 'a', price);
    await turn();
    expect(bob.offsets).toEqual([1, 2, 3]);
  });

  it('tells keys apart by their type, and events by their name', async () => {
    const harness = setUp();
    const ann = await slowOn(harness, 'prices');
    await quote(harness, 1, 1);
    await quote(harness, '1', 2);
    await send(harness, 'prices', 'bid', { symbol: 1, price: 3 });
    await quote(harness, 1, 4);
    await drained(ann);
    expect(ann.offsets).toEqual([2, 3, 4]);
  });

  it('keeps what the session missed while it was out of reach', async () => {
    const harness = setUp();
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('prices'));
    ann.cut();
    for (const price of [1, 2, 3]) await quote(harness, 'a', price);
    await ann.resume();
    expect(told(ann)).toEqual(['1-2', [3, { symbol: 'a', price: 3 }]]);
  });

  it('brings the key along from the node that broadcasts', async () => {
    const broker = memoryBroker({ clock: new VirtualClock() });
    const [here, there] = [setUp({ broker }), setUp({ broker })];
    const ann = await slowOn(here, 'prices');
    for (const price of [1, 2]) await quote(there, 'a', price);
    expect(await drained(ann)).toEqual(['1-1', [2, { symbol: 'a', price: 2 }]]);
  });

  it('goes through the outbox when more waits than may, for nothing else may be dropped', async () => {
    const harness = setUp({ limits: { waitingMessages: 3 } });
    const ann = await slowOn(harness, 'prices');
    const { tx } = ann.session.ledger;
    await quote(harness, 'a', 0);
    await quote(harness, 'a', 1);
    for (const data of [2, 3]) await send(harness, 'prices', 'trade', data);
    expect(ann.session.ledger.tx).toBe(tx);
    await send(harness, 'prices', 'trade', 4);
    expect(ann.session.ledger.tx).toBe(tx + 5);
    await quote(harness, 'a', 5);
    await quote(harness, 'a', 6);
    expect(ann.session.ledger.tx).toBe(tx + 5);
    expect(await drained(ann)).toEqual([
      '1-1',
      [2, { symbol: 'a', price: 1 }],
      [3, 2],
      [4, 3],
      [5, 4],
      '6-6',
      [7, { symbol: 'a', price: 6 }],
    ]);
  });

  it.each([
    ['cannot be had', '!'],
    ['is no key', '?'],
    ['is no number', Number.NaN],
  ])('lets a message whose key %s stand for itself, and tells the app', async (_, symbol) => {
    const harness = setUp();
    const ann = await slowOn(harness, 'prices');
    for (const price of [1, 2]) expect(await quote(harness, symbol, price)).toMatchObject({ offset: price });
    await drained(ann);
    expect(ann.offsets).toEqual([1, 2]);
    const context = { during: 'broadcast', channel: 'prices', event: 'quote' };
    expect(harness.errors).toMatchObject([{ context }, { context }]);
  });

  it('leaves a gap to be seen where the broker has lost a message', async () => {
    const gates = new Gates();
    const harness = setUp({ latency: gates.latency });
    const ann = await slowOn(harness, 'ticker');
    await quote(harness, 'a', 1, 'ticker');
    gates.hold('deliver');
    await quote(harness, 'a', 2, 'ticker');
    gates.fail('deliver');
    await quote(harness, 'a', 3, 'ticker');
    // It follows on 2, which nobody has: no `skipped` hides that.
    expect(await drained(ann)).toEqual([[3, { symbol: 'a', price: 3 }]]);
  });
});

describe('a channel that drops its oldest, to a slow session', () => {
  it('keeps the newest up to the bound', async () => {
    const harness = setUp({ limits: { waitingMessages: 3 } });
    const ann = await slowOn(harness, 'feed');
    for (let data = 1; data <= 10; data += 1) await item(harness, data);
    expect(await drained(ann)).toEqual(['1-7', [8, 8], [9, 9], [10, 10]]);
    expect(ann.session.ended).toBeNull();
  });

  it('drops nothing below it', async () => {
    const harness = setUp();
    const ann = await slowOn(harness, 'feed');
    for (let data = 1; data <= 10; data += 1) await item(harness, data);
    await drained(ann);
    expect(ann.offsets).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('hands out as much as the session takes, and the rest when it drains again', async () => {
    const harness = setUp({ limits: { outboxFrames: 8, waitingMessages: 12 } });
    const ann = await slowOn(harness, 'feed');
    for (let data = 1; data <= 12; data += 1) await item(harness, data);
    await drained(ann);
    const first = ann.offsets.length;
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(8);
    for (let data = 13; data <= 20; data += 1) await item(harness, data);
    for (let round = 0; round < 12; round += 1) {
      ann.ack();
      await turn();
    }
    // The bound was met by those that waited: what came first of them went.
    const gap = ann.ofType(Type.skipped);
    expect(gap).toHaveLength(1);
    expect(ann.offsets.at(-1)).toBe(20);
    const [, , from = 0, to = 0] = gap[0] ?? [];
    expect(
      [...ann.offsets, ...Array.from({ length: to - from + 1 }, (_, i) => from + i)].sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    await item(harness, 21);
    await turn();
    expect(ann.offsets.at(-1)).toBe(21);
  });
});

describe('a channel that declares no loss, to a slow session', () => {
  it('counts every message at once', async () => {
    const harness = setUp();
    const ann = await slowOn(harness, 'plain');
    const { tx } = ann.session.ledger;
    for (let i = 1; i <= 5; i += 1) await send(harness, 'plain', 'item', `${i}`);
    expect(ann.session.ledger.tx).toBe(tx + 5);
    await drained(ann);
    expect(ann.offsets).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('a subscription whose messages wait', () => {
  const waiting = async (authorize?: () => boolean) => {
    const harness = setUp({}, authorize);
    const ann = await slowOn(harness, 'kept');
    for (const data of [1, 2, 3]) await item(harness, data, 'kept');
    return { harness, ann };
  };

  it('drops them when it ends from the side of its client', async () => {
    const { harness, ann } = await waiting();
    const { tx } = ann.session.ledger;
    ann.send([Type.unsubscribe, 'kept']);
    expect(await drained(ann)).toEqual([]);
    expect(ann.session.ledger.tx).toBe(tx);
    expect(harness.app.stats).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  it('drops them when it is revoked', async () => {
    let allowed = true;
    const { harness, ann } = await waiting(() => allowed);
    allowed = false;
    for (const of of harness.app.users.sessionsOf('ann')) await harness.app.reauthorize(of);
    expect(await drained(ann)).toEqual([]);
    expect(ann.ofType(Type.revoked)).toMatchObject([[26, 1, 'forbidden', expect.any(String)]]);
  });

  it('leaves them to the log when another takes its place', async () => {
    const { ann } = await waiting();
    const { epoch = '' } = ann.ofType(Type.subscribed)[0]?.[2] ?? {};
    const id = ann.subscribe('kept', { since: { epoch, offset: 0 } });
    await drained(ann);
    expect(await ann.answer(id)).toMatchObject([17, id, { recovered: true, offset: 0 }]);
    expect(ann.offsets).toEqual([1, 2, 3]);
    expect(ann.ofType(Type.skipped)).toEqual([]);
  });

  it('drops them when its session ends', async () => {
    const { harness, ann } = await waiting();
    ann.send([Type.goaway, 'closed', '', 0]);
    expect(await drained(ann)).toEqual([]);
    expect(harness.app.stats).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  it('reads its log first, as the session takes it', async () => {
    const harness = setUp({ limits: { outboxFrames: 20 } });
    for (let data = 1; data <= 40; data += 1) await item(harness, data, 'kept');
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('kept', { rewind: 40 }));
    expect(ann.offsets.length).toBeLessThan(20);
    for (let data = 41; data <= 60; data += 1) await item(harness, data, 'kept');
    for (let round = 0; round < 20; round += 1) {
      ann.ack();
      await turn();
    }
    expect(ann.offsets).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(ann.ofType(Type.skipped)).toEqual([]);
  });
});
