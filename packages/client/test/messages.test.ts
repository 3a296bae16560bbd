import { from, map, take, toArray } from 'rxjs';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client, ClientChannel, MessageIterator } from '../src/index.ts';
import type { AppContract } from './app-contract.ts';
import { World } from './world.ts';

let world: World;
let client: Client<AppContract>;
let room: ClientChannel<AppContract, 'room/:roomId'>;
let errors: unknown[];

const hi = { text: 'hi' };

beforeEach(async () => {
  world = new World();
  errors = [];
  client = world.client({ onError: (error) => errors.push(error) });
  await world.until(() => client.diagnose().transport === 'websocket');
  room = client.channel('room/:roomId', { roomId: 'lobby' });
});

const subscribeFrames = () => world.frames.filter(([type]) => type === 28 || type === 29).map(([type]) => type);

/** `count` messages to the room, with texts `1`, `2`, … */
async function broadcast(count: number): Promise<void> {
  for (let i = 1; i <= count; i += 1) world.broadcast('room/lobby', 0, { text: `${i}` });
  await world.run(100);
}

/** What can be read until it is done. */
async function textsOf(messages: MessageIterator<{ readonly data: { readonly text: string } }>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { data } of messages) texts.push(data.text);
  return texts;
}

const DONE = { done: true, value: undefined };

describe('messages()', () => {
  test('gives messages of every event, told apart by its name', async () => {
    const messages = room.messages();
    await world.run(100);
    world.broadcast('room/lobby', 0, hi, 'someone');
    world.tell('room/lobby', (n) => [9, n, 1, { name: 'Ann' }]);
    await world.run(100);
    const read: unknown[] = [];
    for await (const message of messages) {
      read.push(message.event === 'message' ? message.data.text : message.data.name, message.meta);
      if (message.event === 'typing') break;
    }
    const meta = { by: null, self: false, recovered: false };
    expect(read).toEqual([
      'hi',
      { ...meta, id: 'e-1', offset: 1, by: 'someone' },
      'Ann',
      { ...meta, id: null, offset: null },
    ]);
    await world.run(100);
    expect(subscribeFrames()).toEqual([28, 29]);
  });

  test('of one event gives no other', async () => {
    const messages = room.messages('typing');
    await world.run(100);
    await broadcast(1);
    world.tell('room/lobby', (n) => [9, n, 1, { name: 'Ann' }]);
    await world.run(100);
    expect(await messages.next()).toMatchObject({ value: { event: 'typing', data: { name: 'Ann' } } });
  });

  test('misses nothing between the call and the first read', async () => {
    world.greeting = (n) => [[16, n, 1, 0, hi]];
    const messages = room.messages('message');
    await world.run(100);
    await world.run(1_000);
    expect(await messages.next()).toMatchObject({ value: { data: hi } });
  });

  test('is done when the handle is closed, after what has come', async () => {
    const messages = room.messages('message');
    await world.run(100);
    await broadcast(2);
    room.close();
    expect(await textsOf(messages)).toEqual(['1', '2']);
    await world.run(100);
    expect(subscribeFrames()).toEqual([28, 29]);
  });

  test('is done when the client is closed, also for who waits', async () => {
    const waiting = room.messages().next();
    await world.run(100);
    client.close();
    expect(await waiting).toEqual(DONE);
    expect(await room.messages().next()).toEqual(DONE);
  });

  test('is left alone by what happens to the connection', async () => {
    const messages = room.messages('message');
    await world.run(100);
    await broadcast(1);
    world.restart();
    await world.until(() => client.state.status === 'open' && room.state.status === 'subscribed');
    await broadcast(1);
    expect([await messages.next(), await messages.next()]).toMatchObject([
      { value: { meta: { offset: 1 } } },
      { value: { meta: { offset: 2 } } },
    ]);
  });

  test('fails where the subscription does for good', async () => {
    const secret = client.channel('secret/:name', { name: 'x' });
    secret.on('message', () => {});
    const waiting = expect(secret.messages().next()).rejects.toMatchObject({ code: 'forbidden' });
    await world.run(100);
    await waiting;
    const messages = secret.messages();
    await expect(messages.next()).rejects.toMatchObject({ code: 'forbidden' });
    expect(await messages.next()).toEqual(DONE);
  });

  test('fails after what fits where it is read too slowly, and lets go of the channel', async () => {
    const messages = room.messages('message', { bound: 3 });
    await world.run(100);
    await broadcast(5);
    expect(subscribeFrames()).toEqual([28, 29]);
    const texts: string[] = [];
    const read = async () => {
      for await (const { data } of messages) texts.push(data.text);
    };
    await expect(read()).rejects.toMatchObject({
      code: 'slow_consumer',
      message: expect.stringContaining('3 messages of "room/lobby"'),
    });
    expect(texts).toEqual(['1', '2', '3']);
  });

  test('or drops the oldest, and says how many', async () => {
    const messages = room.messages({ bound: 3, overflow: 'drop-oldest' });
    await world.run(100);
    await broadcast(5);
    expect(messages.dropped).toBe(2);
    expect(await messages.next()).toMatchObject({ value: { data: { text: '3' } } });
    expect(subscribeFrames()).toEqual([28]);
  });

  test('holds a thousand unless told otherwise', async () => {
    const messages = room.messages({ overflow: 'drop-oldest' });
    await world.run(100);
    await broadcast(1_001);
    expect(messages.dropped).toBe(1);
  });

  test('ends with its signal, and what was not read is dropped', async () => {
    const abort = new AbortController();
    const removed = vi.spyOn(abort.signal, 'removeEventListener');
    const messages = room.messages({ signal: abort.signal });
    await world.run(100);
    await broadcast(2);
    abort.abort();
    expect(await messages.next()).toEqual(DONE);
    await world.run(100);
    expect(subscribeFrames()).toEqual([28, 29]);
    expect(removed).toHaveBeenCalled();
    expect(await room.messages({ signal: abort.signal }).next()).toEqual(DONE);
  });

  test('refuses bounds and policies that cannot be', () => {
    for (const bound of [0, -1, Number.NaN]) expect(() => room.messages({ bound })).toThrow(RangeError);
    expect(() => room.messages({ overflow: 'drop-newest' as never })).toThrow(TypeError);
  });

  test('keeps handlers and other iterators apart', async () => {
    const heard: string[] = [];
    room.on('message', ({ text }) => heard.push(text));
    const first = room.messages('message');
    const second = room.messages('message');
    await world.run(100);
    await broadcast(1);
    await first.return();
    await broadcast(1);
    room.close();
    expect(heard).toEqual(['1', '1']);
    expect(await textsOf(second)).toEqual(['1', '1']);
  });
});

describe('observe()', () => {
  test('subscribes while somebody observes', async () => {
    const observable = room.observe('message');
    await world.run(100);
    expect(subscribeFrames()).toEqual([]);
    const heard: string[] = [];
    const first = observable.subscribe(({ data }) => heard.push(`first ${data.text}`));
    const second = observable.subscribe({ next: ({ event }) => heard.push(event) });
    await world.run(100);
    await broadcast(1);
    first.unsubscribe();
    first.unsubscribe();
    await broadcast(1);
    second.unsubscribe();
    await world.run(100);
    expect(heard).toEqual(['first 1', 'message', 'message']);
    expect(subscribeFrames()).toEqual([28, 29]);
  });

  test('completes when the handle or the client is closed, once, and not for who has left', async () => {
    const told: string[] = [];
    const observer = (name: string) => ({ complete: () => told.push(name), error: () => told.push('never') });
    room.observe().subscribe(observer('handle'));
    room.observe().subscribe(observer('never')).unsubscribe();
    client.channel('ticker').observe().subscribe(observer('client'));
    await world.run(100);
    room.close();
    room.close();
    expect(told).toEqual(['handle']);
    client.close();
    expect(told).toEqual(['handle', 'client']);
  });

  test('tells an error where the subscription has failed for good', async () => {
    const told: unknown[] = [];
    const secret = client.channel('secret/:name', { name: 'x' });
    secret.observe().subscribe({ error: ({ code }) => told.push(code), complete: () => told.push('never') });
    await world.run(100);
    expect(told).toEqual(['forbidden']);
    secret.close();
    expect(told).toHaveLength(1);
  });

  test('reports what an observer throws, and goes on', async () => {
    const bug = new Error('a bug');
    let heard = 0;
    room.observe().subscribe(() => {
      heard += 1;
      throw bug;
    });
    await world.run(100);
    await broadcast(2);
    expect(heard).toBe(2);
    expect(errors).toEqual([bug, bug]);
  });

  test('is found under the symbol of observables, where there is one', () => {
    expect(room.observe()).toHaveProperty('@@observable');
    const symbol = Symbol('observable');
    Object.defineProperty(Symbol, 'observable', { value: symbol, configurable: true });
    try {
      const observable = room.observe();
      expect(observable[Symbol.observable]()).toBe(observable);
      expect(observable).toHaveProperty('@@observable');
    } finally {
      Reflect.deleteProperty(Symbol, 'observable');
    }
  });

  test('is what RxJS makes an observable of', async () => {
    const read = new Promise<string[]>((resolve, reject) => {
      from(room.observe('message'))
        .pipe(
          map(({ data }) => data.text),
          take(2),
          toArray(),
        )
        .subscribe({ next: resolve, error: reject });
    });
    await world.run(100);
    await broadcast(3);
    expect(await read).toEqual(['1', '2']);
    expect(subscribeFrames()).toEqual([28, 29]);
  });

  test('ends an observable of RxJS as it ends itself', async () => {
    const told: string[] = [];
    const secret = client.channel('secret/:name', { name: 'x' });
    from(room.observe()).subscribe({ complete: () => told.push('complete') });
    from(secret.observe()).subscribe({ error: ({ code }) => told.push(code) });
    await world.run(100);
    room.close();
    expect(told).toEqual(['forbidden', 'complete']);
  });
});
