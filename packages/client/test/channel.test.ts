import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Client, ClientChannel, EventMeta, Gap, SubscriptionState } from '../src/index.ts';
import type { AppContract } from './app-contract.ts';
import { World } from './world.ts';

let world: World;
let client: Client<AppContract>;
let room: ClientChannel<AppContract, 'room/:roomId'>;
let errors: unknown[];

const lobby = { roomId: 'lobby' };
const hi = { text: 'hi' };

beforeEach(async () => {
  world = new World();
  errors = [];
  client = world.client({ onError: (error) => errors.push(error) });
  await world.until(() => client.diagnose().transport === 'websocket');
  room = client.channel('room/:roomId', lobby);
});

/** Types of the application frames that the server was given for the room. */
function subscribeFrames(): unknown[] {
  return world.frames.filter(([type]) => type === 28 || type === 29).map(([type]) => (type === 28 ? 'in' : 'out'));
}

describe('handlers', () => {
  test('hear the events of their name, with how they came, until they are taken out', async () => {
    const heard: [unknown, EventMeta][] = [];
    const off = room.on('message', (message, meta) => heard.push([message, meta]));
    room.on('typing', () => heard.push(['never', {} as EventMeta]));
    await world.run(100);
    world.broadcast('room/lobby', 0, hi, 'someone');
    await world.run(100);
    off();
    off();
    world.broadcast('room/lobby', 0, hi);
    await world.run(100);
    expect(heard).toEqual([[hi, { id: 'e-1', offset: 1, by: 'someone', self: false, recovered: false }]]);
    expect(room.position).toEqual({ epoch: 'e', offset: 2 });
  });

  test('may hear one event only', async () => {
    let heard = 0;
    room.once('message', () => {
      heard += 1;
    });
    room.on('typing', () => {});
    await world.run(100);
    world.broadcast('room/lobby', 0, hi);
    world.broadcast('room/lobby', 0, hi);
    await world.run(100);
    expect(heard).toBe(1);
  });

  test('are found by off() in the handle that added them', async () => {
    const heard: string[] = [];
    const other = client.channel('room/:roomId', lobby);
    const note = () => heard.push('same function');
    room.on('message', note);
    other.on('message', note);
    room.on('message', () => heard.push('another'));
    room.once('typing', () => heard.push('never'));
    await world.run(100);
    room.off('message', note);
    room.off('typing');
    world.broadcast('room/lobby', 0, hi);
    world.broadcast('room/lobby', 1, { name: 'Ann' });
    await world.run(100);
    expect(heard.sort()).toEqual(['another', 'same function']);
  });

  test('that throw are reported and stop no other', async () => {
    const heard: unknown[] = [];
    room.on('message', () => {
      throw new Error('a bug');
    });
    room.on('message', (message) => heard.push(message));
    await world.run(100);
    world.broadcast('room/lobby', 0, hi);
    world.broadcast('room/lobby', 0, hi);
    await world.run(100);
    expect(heard).toHaveLength(2);
    expect(errors).toHaveLength(2);
    expect(client.state.status).toBe('open');
  });

  test('may add and take out handlers, and publish', async () => {
    const heard: string[] = [];
    const off = room.on('message', ({ text }) => {
      heard.push(text);
      off();
      room.on('message', (message) => heard.push(`second ${message.text}`));
      if (text === 'hi') void room.publish('message', { text: 'ho' });
    });
    await world.run(100);
    world.broadcast('room/lobby', 0, hi);
    await world.run(100);
    expect(heard).toEqual(['hi', 'second ho']);
  });
});

describe('a handler that another takes out', () => {
  test('does not hear the event that did it', async () => {
    const heard: string[] = [];
    room.on('message', () => offSecond());
    const offSecond = room.on('message', () => heard.push('second'));
    await world.run(100);
    world.broadcast('room/lobby', 0, hi);
    await world.run(100);
    expect(heard).toEqual([]);
  });
});

describe('a subscription', () => {
  test('is shared by the handles of a channel, and ends with the last handler', async () => {
    const other = client.channel('room/:roomId', lobby);
    const off = room.on('message', () => {});
    other.on('typing', () => {});
    await world.run(100);
    off();
    await world.run(100);
    expect(subscribeFrames()).toEqual(['in']);
    expect(room.state.status).toBe('subscribed');
    other.close();
    await world.run(100);
    expect(subscribeFrames()).toEqual(['in', 'out']);
    expect(room.state).toEqual({ status: 'idle' });
  });

  test('outlives a turn in which nobody wants it for a moment', async () => {
    const off = room.on('message', () => {});
    await world.run(100);
    off();
    room.on('message', () => {});
    await world.run(100);
    expect(subscribeFrames()).toEqual(['in']);
  });

  test('can begin again later, with the options of who wants it then', async () => {
    room.on('message', () => {});
    await world.run(100);
    room.close();
    await world.run(100);
    client.channel('room/:roomId', lobby, { rewind: 3 }).on('message', () => {});
    await world.run(100);
    client.channel('room/:roomId', lobby, { rewind: 4 }).on('message', () => {});
    await world.run(100);
    expect(subscribeFrames()).toEqual(['in', 'out', 'in']);
    expect(world.frames.at(-1)?.[3]).toEqual({ rewind: 3 });
  });

  test('begins with the most history that is asked for in one turn, or where somebody says to go on', async () => {
    const since = { epoch: 'e', offset: 1 };
    for (const options of [{}, { rewind: 3 }, { rewind: 2 }])
      client.channel('room/:roomId', lobby, options).on('message', () => {});
    const other = { roomId: 'other' };
    for (const options of [{ rewind: 3 }, { since }, { rewind: 9 }])
      client.channel('room/:roomId', other, options).on('message', () => {});
    await world.run(100);
    expect(world.frames.slice(-2).map((frame) => frame[3])).toEqual([{ rewind: 3 }, { since }]);
  });

  test('tells its states, and nothing is subscribed just to see them', async () => {
    const states: SubscriptionState[] = [];
    const off = room.onState((state) => states.push(state));
    await world.run(100);
    expect(subscribeFrames()).toEqual([]);
    room.on('message', () => {});
    await world.run(100);
    expect(states).toEqual([{ status: 'subscribing' }, { status: 'subscribed', recovered: null }]);
    off();
    room.close();
    await world.run(100);
    expect(states).toHaveLength(2);
  });

  test('is awaited by ready(), which wants it until the handle is closed', async () => {
    const ready = room.ready();
    await world.run(100);
    await ready;
    await room.ready();
    expect(room.state.status).toBe('subscribed');
    room.close();
    await world.run(100);
    expect(subscribeFrames()).toEqual(['in', 'out']);
  });

  test('can be wanted again by a handler that hears of its end', async () => {
    const heard: unknown[] = [];
    room.onState(({ status }) => {
      if (status === 'idle') room.on('message', (message) => heard.push(message));
    });
    const off = room.on('typing', () => {});
    await world.run(100);
    off();
    await world.run(100);
    world.broadcast('room/lobby', 0, hi);
    await world.run(100);
    expect(heard).toEqual([hi]);
  });

  test('that is refused rejects ready()', async () => {
    const secret = client.channel('secret/:name', { name: 'x' });
    const refused = expect(secret.ready()).rejects.toMatchObject({ code: 'forbidden' });
    await world.run(100);
    await refused;
    await expect(secret.ready()).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('that nobody wants any more rejects ready()', async () => {
    world.sockets[0]?.break();
    world.online = false;
    const ready = expect(room.ready()).rejects.toMatchObject({ code: 'canceled' });
    await world.run(100);
    room.close();
    await world.run(100);
    await ready;
  });

  test('goes on after the server has lost everything, and says where messages are missing', async () => {
    const heard: string[] = [];
    const gaps: Gap[] = [];
    room.on('message', ({ text }) => heard.push(text));
    room.onGap((gap) => gaps.push(gap));
    await world.run(100);
    world.broadcast('room/lobby', 0, { text: 'before' });
    await world.run(100);
    world.tell('room/lobby', (n) => [23, n, 2, 2]);
    await world.run(100);
    world.channels.clear();
    world.restart();
    await world.until(() => client.state.status === 'open' && room.state.status === 'subscribed');
    world.broadcast('room/lobby', 0, { text: 'dropped: its offset was had' });
    world.tell('room/lobby', (n) => [26, n, 'broker_failed', 'the log began anew']);
    await world.run(3_000);
    expect(heard).toEqual(['before']);
    expect(gaps).toEqual([{ reason: 'skipped', from: 2, to: 2 }]);
    expect(room.state.status).toBe('subscribed');
  });
});

describe('who awaits ready() or connect()', () => {
  const message = (n: number, offset: number) => [16, n, offset, 0, { text: `${n}.${offset}` }] as const;

  beforeEach(() => {
    world.greeting = (n) => [message(n, 1), message(n, 2)];
  });

  test('misses nothing that comes together with the answer, however it awaits it', async () => {
    const heard: string[] = [];
    const listen = () => room.on('message', ({ text }) => heard.push(text));
    const open = async () => {
      await Promise.all([room.ready()]);
      return room;
    };
    const outer = async () => {
      const opened = await open().finally(() => {});
      return opened;
    };
    void outer().then(listen);
    await world.run(100);
    expect(heard).toEqual(['1.1', '1.2']);
  });

  test('has handlers in time for the first answer of all', async () => {
    client.close();
    client = world.client();
    room = client.channel('room/:roomId', lobby);
    const heard: string[] = [];
    room.on('typing', () => {});
    const open = async () => {
      await client.connect();
      room.on('message', ({ text }) => heard.push(text));
    };
    void open();
    await world.run(100);
    expect(heard).toEqual(['1.1', '1.2']);
  });

  test('is not overtaken by the end of the answer', async () => {
    client.close();
    // An answer that has come whole before it is read.
    const fetch = async (url: string, init: RequestInit) =>
      new Response(await (await world.environment.fetch(url, init)).text());
    client = world.client({ transports: ['poll'], environment: { fetch } });
    room = client.channel('room/:roomId', lobby);
    const heard: string[] = [];
    void room.ready().then(() => room.on('message', ({ text }) => heard.push(text)));
    await world.run(15);
    await world.run(20);
    expect(heard).toEqual(['1.1', '1.2']);
    expect(client.diagnose().attempts.map(({ outcome }) => outcome)).toEqual(['ok']);
  });

  test('hears of several channels in the order in which all of it came', async () => {
    const other = client.channel('room/:roomId', { roomId: 'other' });
    const heard: string[] = [];
    for (const handle of [room, other]) {
      void handle.ready().then(() => handle.on('message', ({ text }) => heard.push(text)));
    }
    await world.run(100);
    expect(heard).toEqual(['1.1', '1.2', '2.1', '2.2']);
  });

  test('is heard at once where it closes the client, and what has not been handed out never is', async () => {
    const heard: string[] = [];
    room.on('message', ({ text }) => heard.push(text));
    const statuses: string[] = [];
    void room.ready().then(() => {
      client.close();
      statuses.push(client.state.status);
    });
    await world.run(100);
    expect(statuses).toEqual(['closed']);
    expect(heard).toEqual([]);
  });
});

describe('an event that the server does not have', () => {
  const unknown = () => errors.filter((error) => (error as { code: string }).code === 'unknown_event');
  const wrong = 'mesage' as 'message';

  test('is reported once, with those that it has', async () => {
    room.on(wrong, () => {});
    await world.run(100);
    room.on(wrong, () => {});
    world.restart();
    await world.until(() => client.state.status === 'open' && room.state.status === 'subscribed');
    expect(errors).toEqual(unknown());
    expect(errors).toMatchObject([{ message: expect.stringMatching(/"room\/lobby".*"mesage".*message, typing/) }]);
  });

  test('is reported where it is wanted later, and by whatever way', async () => {
    room.on('message', () => {});
    await world.run(100);
    expect(errors).toEqual([]);
    room.messages('typping' as 'typing');
    expect(unknown()).toHaveLength(1);
    room.observe('tiping' as 'typing').subscribe(() => {});
    expect(unknown()).toHaveLength(2);
  });

  test('is written to the console where nobody wants to be told', async () => {
    const written = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => written.mockRestore());
    const silent = world.client();
    silent.channel('room/:roomId', lobby).on(wrong, () => {});
    await world.run(100);
    expect(written).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('different contracts'));
    silent.close();
  });
});

describe('publish()', () => {
  test('goes up under the key that it is given, or one of its own', async () => {
    for (const options of [{ idempotencyKey: 'order 7' }, { idempotencyKey: 'order 7' }, {}, {}])
      void room.publish('message', hi, options).catch(() => {});
    await world.run(100);
    const [first, second, third, fourth] = world.frames.filter(([type]) => type === 22).map((frame) => frame[5]);
    expect([first, second]).toEqual(['order 7', 'order 7']);
    expect(new Set(['order 7', third, fourth]).size).toBe(3);
  });

  test('resolves when the server has answered; the message comes back as our own', async () => {
    const heard: [unknown, boolean][] = [];
    room.on('message', (message, { self }) => heard.push([message, self]));
    await world.run(100);
    const published = room.publish('message', hi);
    await world.run(100);
    expect(await published).toBeUndefined();
    expect(heard).toEqual([[hi, true]]);
  });

  test('takes the payload as it is now', async () => {
    const message = { text: 'now' };
    const published = room.publish('message', message);
    message.text = 'later';
    await world.run(100);
    await published;
    expect(world.frames.at(-1)?.[4]).toEqual({ text: 'now' });
  });

  test('rejects what no line can carry, and never throws at once', async () => {
    const circular: { text: string; self?: unknown } = { text: '' };
    circular.self = circular;
    await expect(room.publish('message', circular)).rejects.toMatchObject({ code: 'validation_failed' });
    await expect(room.publish('message', { text: 'x'.repeat(1_048_577) })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    for (const idempotencyKey of ['', 'x'.repeat(65), 'a\nb', 'ä'])
      await expect(room.publish('message', hi, { idempotencyKey })).rejects.toThrow(RangeError);
    await expect(room.publish('message', hi, { timeoutMs: 0 })).rejects.toThrow(RangeError);
  });

  test('waits for a connection, and not for ever', async () => {
    world.online = false;
    world.restart();
    await world.run(100);
    const late = room.publish('message', { text: 'late' }, { timeoutMs: 60_000 });
    const lost = expect(room.publish('message', hi, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'timeout' });
    await world.run(2_000);
    await lost;
    world.online = true;
    world.wake();
    await world.run(1_000);
    await late;
    expect(world.frames.map((frame) => frame[4])).toContainEqual({ text: 'late' });
  });

  test('goes up with all others of its turn in one message', async () => {
    const [socket] = world.sockets;
    const before = socket?.sent.length ?? 0;
    const all = Promise.all(Array.from({ length: 20 }, (_, i) => room.publish('message', { text: `${i}` })));
    await world.run(100);
    await all;
    expect((socket?.sent.length ?? 0) - before).toBe(1);
  });
});

describe('request()', () => {
  test('resolves with the answer', async () => {
    world.answer = ([, id]) => [19, id, { text: 'done' }];
    const edited = room.request('edit', { id: '1' });
    const left = room.request('leave');
    await world.run(100);
    expect(await edited).toEqual({ text: 'done' });
    await left;
    expect(world.frames.at(-1)).toEqual([18, expect.any(Number), 'room/lobby', 'leave', null, 15_000]);
  });

  test('rejects with what the contract declares, or what went wrong', async () => {
    world.answer = ([, id]) => [20, id, 'app:locked', 'not now', false, 'Ann'];
    const locked = expect(room.request('edit', { id: '1' })).rejects.toMatchObject({ code: 'locked', data: 'Ann' });
    await world.run(100);
    await locked;
  });

  test('is given up by its signal, which the server is told', async () => {
    world.answer = () => null;
    const abort = new AbortController();
    const removed = vi.spyOn(abort.signal, 'removeEventListener');
    const canceled = expect(room.request('edit', { id: '1' }, { signal: abort.signal })).rejects.toMatchObject({
      code: 'canceled',
    });
    await world.run(100);
    abort.abort();
    await canceled;
    expect(removed).toHaveBeenCalled();
    await world.run(100);
    expect(world.frames.at(-1)?.[0]).toBe(21);
    await expect(room.request('edit', { id: '2' }, { signal: abort.signal })).rejects.toMatchObject({
      code: 'canceled',
    });
    await world.run(100);
    expect(world.frames.at(-1)?.[0]).toBe(21);
  });

  test('has a result that says how it went instead of throwing', async () => {
    world.answer = ([, id]) => [19, id, { text: 'done' }];
    const edited = room.request('edit', { id: '1' }).result();
    await world.run(100);
    expect(await edited).toEqual({ ok: true, data: { text: 'done' } });
    world.answer = ([, id]) => [20, id, 'app:locked', 'not now', false, 'Ann'];
    const locked = room.request('edit', { id: '1' }).result();
    await world.run(100);
    expect(await locked).toMatchObject({ ok: false, error: { code: 'locked', data: 'Ann' } });
    await expect(room.request('edit', { id: '1' }, { timeoutMs: 0 }).result()).rejects.toThrow(RangeError);
  });

  test('is given up after its time', async () => {
    world.answer = () => null;
    const late = expect(room.request('edit', { id: '1' }, { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'timeout',
    });
    await world.run(600);
    await late;
  });
});

describe('send()', () => {
  test('sends without an answer, and loses what cannot be sent now', async () => {
    room.send('typing', { name: 'Ann' });
    await world.run(100);
    expect(world.frames).toEqual([[9, 'room/lobby', 'typing', { name: 'Ann' }]]);
    world.online = false;
    world.sockets[0]?.break();
    room.send('typing', { name: 'Bob' });
    world.online = true;
    world.wake();
    await world.run(1_000);
    expect(world.frames).toHaveLength(1);
  });

  test('throws at once for what is too large', () => {
    expect(() => room.send('typing', { name: 'x'.repeat(70_000) })).toThrow(
      expect.objectContaining({ code: 'payload_too_large' }),
    );
  });
});
