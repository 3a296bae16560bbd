import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client, ClientChannel } from '../../src/index.ts';
import { type AnyMessage, anyChannel } from '../../src/react/any-channel.ts';
import { MessageList, type MessageListOptions } from '../../src/react/message-list.ts';
import type { AppContract } from '../app-contract.ts';
import { RecoveringWorld } from './recovering-world.ts';
import { WatchedStore } from './watched-store.ts';

type Room = ClientChannel<AppContract, 'room/:roomId'>;

const MESSAGE = 0;
const TYPING = 1;

let world: RecoveringWorld;
let client: Client<AppContract>;
let room: Room;

beforeEach(async () => {
  world = new RecoveringWorld();
  client = world.client();
  await world.until(() => client.diagnose().transport === 'websocket');
  room = roomHandle();
});

function roomHandle(): Room {
  return client.channel('room/:roomId', { roomId: 'lobby' });
}

function watch(options: Partial<MessageListOptions> = {}, channel: Room = room): WatchedStore<readonly AnyMessage[]> {
  const defaults = { events: null, limit: 100, history: 0, initial: [] };
  return new WatchedStore(new MessageList(anyChannel(channel), { ...defaults, ...options }));
}

async function say(...texts: string[]): Promise<void> {
  for (const text of texts) world.broadcast('room/lobby', MESSAGE, { text });
  await world.run(100);
}

async function typing(name: string): Promise<void> {
  world.tell('room/lobby', (n) => [9, n, TYPING, { name }]);
  await world.run(100);
}

/** A message as it comes from elsewhere: `[offset, text]`, of log `e` as the world's. */
function message(offset: number, text: string, epoch = 'e'): AnyMessage {
  const meta = { id: `${epoch}-${offset}`, offset, by: null, self: false, recovered: false };
  return { event: 'message', data: { text }, meta };
}

/** Answers `$history` with these messages. */
function keep(epoch: string, ...messages: readonly (readonly [offset: number, text: string])[]): void {
  world.answer = ([, id, , method]) => {
    if (method !== '$history') throw new Error(`nobody asks ${method} here`);
    const page = messages.map(([offset, text]) => ({ offset, event: 'message', data: { text } }));
    return [19, id, { epoch, head: messages.at(-1)?.[0] ?? 0, complete: true, messages: page }];
  };
}

const texts = (list: readonly AnyMessage[]): unknown[] =>
  list.map(({ data }) => (data as { text?: string; name?: string }).text ?? (data as { name: string }).name);

const asked = (): number => world.frames.filter(([type, , , method]) => type === 18 && method === '$history').length;

describe('a list of messages', () => {
  test('has what comes, as it came, and is another list each time', async () => {
    const list = watch();
    expect(list.now).toEqual([]);
    await world.run(100);
    await say('a');
    await typing('Ann');
    await say('b');
    expect(list.seen.map(texts)).toEqual([[], ['a'], ['a', 'Ann'], ['a', 'Ann', 'b']]);
    expect(list.now[0]).toEqual({ ...message(1, 'a'), meta: { ...message(1, 'a').meta } });
    expect(list.now[1]).toMatchObject({ event: 'typing', meta: { id: null, offset: null } });
  });

  test('keeps the latest', async () => {
    const list = watch({ limit: 2 });
    await world.run(100);
    await say('a', 'b', 'c');
    expect(texts(list.now)).toEqual(['b', 'c']);
    expect(() => watch({ limit: 0 })).toThrow(RangeError);
  });

  test('may be of some events only', async () => {
    const list = watch({ events: ['typing'] });
    await world.run(100);
    await say('a');
    await typing('Ann');
    expect(texts(list.now)).toEqual(['Ann']);
  });

  test('begins with what is given, of which nothing comes twice', async () => {
    const list = watch({ limit: 3, initial: [message(1, 'a'), message(2, 'b')] });
    expect(texts(list.now)).toEqual(['a', 'b']);
    await world.run(100);
    await say('a', 'b', 'c', 'd');
    expect(texts(list.now)).toEqual(['b', 'c', 'd']);
    expect(texts(watch({ limit: 1, initial: [message(1, 'a'), message(2, 'b')] }).now)).toEqual(['b']);
  });

  test('knows what it had when the subscription begins anew and brings it again', async () => {
    world.greeting = (n) => [1, 2, 3, 4].map((offset) => [16, n, offset, MESSAGE, { text: `${offset}` }] as const);
    const list = watch({ limit: 3 });
    await world.run(100);
    list.unmount();
    await world.run(100);
    list.mount();
    await world.run(100);
    expect(world.frames.map(([type]) => type)).toEqual([28, 29, 28]);
    expect(texts(list.now)).toEqual(['2', '3', '4']);
  });

  test('is of no channel while there is none', () => {
    const list = new WatchedStore(
      new MessageList(null, { events: null, limit: 5, history: 5, initial: [message(1, 'a')] }),
    );
    expect(texts(list.now)).toEqual(['a']);
  });

  test('hears nothing after it was left, and nobody is subscribed for it', async () => {
    const list = watch({ history: 5 });
    keep('e');
    await world.run(100);
    list.unmount();
    room.on('message', () => {});
    await say('a');
    expect(list.now).toEqual([]);
    room.close();
    await world.run(100);
    expect(room.state.status).toBe('idle');
  });

  test('goes on where it was when its client is closed and connects again', async () => {
    const list = watch();
    await world.run(100);
    await say('a');
    client.close();
    await world.run(100);
    expect(room.state.status).toBe('failed');
    void client.connect();
    await world.until(() => room.state.status === 'subscribed');
    await say('b');
    expect(texts(list.now)).toEqual(['a', 'b']);
  });
});

describe('the history of a list', () => {
  test('is put before what came while it was asked for', async () => {
    keep('e', [1, 'a'], [2, 'b'], [3, 'c']);
    room.on('message', () => {});
    await world.run(100);
    await say('a', 'b');
    const list = watch({ history: 10 });
    world.broadcast('room/lobby', MESSAGE, { text: 'c' });
    world.broadcast('room/lobby', MESSAGE, { text: 'd' });
    await typing('Ann');
    expect(texts(list.now)).toEqual(['a', 'b', 'c', 'd', 'Ann']);
    expect(world.frames.at(-1)?.slice(2, 5)).toEqual(['room/lobby', '$history', { limit: 10 }]);
  });

  test('is asked for once the channel is subscribed, and bounded like the rest', async () => {
    keep('e', [1, 'a'], [2, 'b'], [3, 'c']);
    const list = watch({ history: 10, limit: 2 });
    await world.run(100);
    expect(texts(list.now)).toEqual(['b', 'c']);
    expect(world.frames.map(([type]) => type)).toEqual([28, 18]);
  });

  test('has the asked events only', async () => {
    keep('e', [1, 'a']);
    const list = watch({ history: 10, events: ['typing'] });
    await world.run(100);
    expect(asked()).toBe(1);
    expect(list.now).toEqual([]);
  });

  test('is asked for again where a session was lost, and follows what there was of a log that is gone', async () => {
    keep('e', [1, 'a'], [2, 'b']);
    const list = watch({ history: 10 });
    await world.run(100);
    keep('e', [2, 'b'], [3, 'c']);
    world.restart();
    await world.until(() => asked() === 2);
    await world.run(100);
    expect(texts(list.now)).toEqual(['a', 'b', 'c']);
    keep('f', [1, 'x']);
    world.restart();
    await world.until(() => asked() === 3);
    await world.run(100);
    expect(texts(list.now)).toEqual(['a', 'b', 'c', 'x']);
  });

  test('is asked for once where the subscription goes on, whenever the list has come', async () => {
    keep('e', [1, 'a']);
    const first = watch({ history: 10 });
    await world.run(100);
    await say('a');
    world.recovered = true;
    world.restart();
    await world.until(() => client.diagnose().counts.attaches > 2 && room.state.status === 'subscribed');
    await world.run(100);
    expect(room.state).toEqual({ status: 'subscribed', recovered: true });
    expect(asked()).toBe(1);
    const second = watch({ history: 10 });
    await world.run(100);
    expect(asked()).toBe(2);
    expect([first, second].map(({ now }) => texts(now))).toEqual([['a'], ['a']]);
  });

  test('that may be had later is asked for with the next session', async () => {
    world.answer = ([, id]) => [20, id, 'overloaded', 'not now', true];
    const list = watch({ history: 10 });
    await world.run(100);
    keep('e', [1, 'a']);
    world.restart();
    await world.until(() => list.now.length > 0);
    expect(texts(list.now)).toEqual(['a']);
  });

  test('that cannot be had is an error for the page', async () => {
    const later = vi.spyOn(globalThis, 'queueMicrotask');
    world.answer = ([, id]) => [20, id, 'unknown_method', 'room/:roomId declares no history', false];
    const thrown: unknown[] = [];
    later.mockImplementation((run) => {
      void Promise.resolve()
        .then(run)
        .catch((error: unknown) => thrown.push(error));
    });
    watch({ history: 10 });
    await world.run(100);
    later.mockRestore();
    expect(thrown).toEqual([expect.objectContaining({ code: 'unknown_method' })]);
  });

  test('is not waited for by who has gone', async () => {
    keep('e', [1, 'a']);
    const list = watch({ history: 10 });
    await world.until(() => asked() === 1);
    list.unmount();
    await world.run(100);
    expect(list.now).toEqual([]);
  });
});
