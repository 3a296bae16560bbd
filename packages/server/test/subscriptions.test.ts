import { Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../src/brokers/broker.ts';
import { memoryBroker } from '../src/brokers/memory.ts';
import { Gates } from './gates.ts';
import type { Harness, TestClient } from './harness.ts';
import { openRoom } from './open-room.ts';
import { turn, VirtualClock } from './virtual-clock.ts';

const room = (harness: Harness) => harness.app.channel('room/:roomId', { roomId: 'a' });
const say = (harness: Harness, text: string | number) => room(harness).broadcast('message', { text: String(text) });
const texts = (client: TestClient) => client.messages.map((data) => (data as { text: string }).text);
const subscribed = (client: TestClient) => client.ofType(Type.subscribed).at(-1)?.[2];

describe('subscribe', () => {
  it('is answered with the position from which messages follow', async () => {
    const harness = openRoom();
    await say(harness, 'before');
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a'));
    expect(subscribed(ann)).toMatchObject({
      n: 1,
      offset: 1,
      head: 1,
      recovered: null,
      events: ['message', 'stamped', 'note', 'typing', 'huge'],
    });
    await say(harness, 'after');
    await turn();
    expect(ann.ofType(Type.message)).toEqual([[16, 1, 2, 0, { text: 'after' }]]);
  });

  it('is done for the subs of an attach, before its answer settles', async () => {
    const harness = openRoom();
    await say(harness, 'x');
    const ann = await harness.connect('ann', [
      [1, 'room/a', { rewind: 1 }],
      [2, 'ticker', {}],
      [3, 'nowhere', {}],
    ]);
    expect((await ann.answer(1))[0]).toBe(Type.subscribed);
    expect((await ann.answer(2))[0]).toBe(Type.subscribed);
    expect(await ann.codeOf(3)).toBe('unknown_channel');
    expect(texts(ann)).toEqual(['x']);
  });

  it('gives each channel a number of its own and never one again', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann');
    const numbers: (number | undefined)[] = [];
    for (const channel of ['room/a', 'room/b', 'room/a', 'ticker']) {
      await ann.answer(ann.subscribe(channel));
      numbers.push(subscribed(ann)?.n);
      ann.send([Type.unsubscribe, channel]);
    }
    expect(numbers).toEqual([1, 2, 3, 4]);
  });

  it('shares one line among all subscribers', async () => {
    const harness = openRoom();
    const clients = [await harness.connect('ann'), await harness.connect('bob')];
    for (const client of clients) await client.answer(client.subscribe('room/a'));
    await say(harness, 'x');
    const [one, two] = clients.map(({ session }) => session.ledger.at(session.ledger.tx - 1));
    expect(one).toBe(two);
  });

  it('splits what is longer than a line into fragments', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a'));
    const huge = 'ü'.repeat(100_000);
    await room(harness).broadcast('huge', huge);
    await turn();
    expect(ann.messages).toEqual([huge]);
    expect(ann.session.ledger.tx).toBeGreaterThan(5);
  });

  it('is refused beyond the limit, but not for a channel that is subscribed already', async () => {
    const harness = openRoom({}, { limits: { channels: 2 } });
    const ann = await harness.connect('ann');
    for (const channel of ['room/a', 'room/b']) expect(await ann.codeOf(ann.subscribe(channel))).toBeNull();
    expect(await ann.codeOf(ann.subscribe('room/c'))).toBe('limit_reached');
    expect(await ann.codeOf(ann.subscribe('room/a'))).toBeNull();
    ann.send([Type.unsubscribe, 'room/b']);
    expect(await ann.codeOf(ann.subscribe('room/c'))).toBeNull();
  });

  it('is refused for names that are no channel', async () => {
    const ann = await openRoom().connect('ann');
    expect(await ann.codeOf(ann.subscribe('constructor'))).toBe('unknown_channel');
    expect(await ann.codeOf(ann.subscribe('room/__proto__'))).toBeNull();
    expect(await ann.codeOf(ann.subscribe('room/%zz'))).toBe('unknown_channel');
    expect(await ann.codeOf(ann.subscribe(''))).toBe('channel_invalid');
    expect(await ann.codeOf(ann.subscribe(`room/${'x'.repeat(300)}`))).toBe('channel_invalid');
  });

  it('ends with unsubscribe, and leaves nothing behind', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a'));
    ann.send([Type.unsubscribe, 'room/a']);
    await say(harness, 'x');
    await turn();
    expect(ann.messages).toEqual([]);
    expect(harness.app.stats).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  it('ends with the session', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a'));
    ann.send([Type.goaway, 'closed', '', 0]);
    await turn();
    expect(harness.app.stats).toMatchObject({ channels: 0, subscriptions: 0 });
  });
});

describe('history', () => {
  const withMessages = async (count: number, gates?: Gates) => {
    const harness = openRoom({}, gates ? { latency: gates.latency } : {});
    for (let i = 1; i <= count; i += 1) await say(harness, i);
    return harness;
  };
  const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

  it('follows a position, and says that nothing is missing', async () => {
    const harness = await withMessages(5);
    const { epoch } = await harness.broker.read('room/a', { limit: 0 });
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a', { since: { epoch, offset: 2 } }));
    expect(subscribed(ann)).toMatchObject({ epoch, offset: 2, recovered: true });
    expect(texts(ann)).toEqual(['3', '4', '5']);
  });

  it('says that nothing is missing where nothing was', async () => {
    const harness = await withMessages(2);
    const { epoch } = await harness.broker.read('room/a', { limit: 0 });
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a', { since: { epoch, offset: 2 } }));
    expect(subscribed(ann)).toMatchObject({ offset: 2, recovered: true });
  });

  it('says so where something is no longer kept, and gives the rest', async () => {
    const harness = await withMessages(150);
    const { epoch } = await harness.broker.read('room/a', { limit: 0 });
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a', { since: { epoch, offset: 10 } }));
    expect(subscribed(ann)).toMatchObject({ offset: 50, recovered: false });
    expect(texts(ann)).toEqual(numbers(51, 150));
  });

  it('says so for a position of another epoch, and gives what there is', async () => {
    const harness = await withMessages(2);
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a', { since: { epoch: 'old', offset: 40 } }));
    expect(subscribed(ann)).toMatchObject({ offset: 0, recovered: false });
    expect(texts(ann)).toEqual(['1', '2']);
  });

  it('gives the latest to rewind to', async () => {
    const harness = await withMessages(5);
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a', { rewind: 2 }));
    expect(subscribed(ann)).toMatchObject({ offset: 3, recovered: null });
    expect(texts(ann)).toEqual(['4', '5']);
  });

  it('gives no more to rewind to than is kept', async () => {
    const harness = await withMessages(3);
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a', { rewind: 2 ** 50 }));
    expect(texts(ann)).toEqual(numbers(1, 3));
  });

  it('is not there for a channel without it', async () => {
    const harness = openRoom();
    const ticker = harness.app.channel('ticker', {});
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('ticker', { rewind: 5 }));
    const { epoch = '', offset = 0 } = subscribed(ann) ?? {};
    expect(subscribed(ann)).toMatchObject({ offset: 0, recovered: null });
    await ticker.broadcast('quote', 1);
    const bob = await harness.connect('bob');
    await bob.answer(bob.subscribe('ticker', { since: { epoch, offset } }));
    expect(subscribed(bob)).toMatchObject({ offset: 1, recovered: false });
    const eve = await harness.connect('eve');
    await eve.answer(eve.subscribe('ticker', { since: { epoch, offset: 1 } }));
    expect(subscribed(eve)).toMatchObject({ offset: 1, recovered: true });
    expect([...bob.messages, ...eve.messages]).toEqual([]);
  });

  it('is merged with messages that come while it is read', async () => {
    const gates = new Gates();
    const harness = await withMessages(3, gates);
    const { epoch } = await harness.broker.read('room/a', { limit: 0 });
    const bob = await harness.connect('bob');
    await bob.answer(bob.subscribe('room/a'));
    const ann = await harness.connect('ann');
    gates.hold('read');
    const id = ann.subscribe('room/a', { since: { epoch, offset: 1 } });
    await turn();
    expect(gates.waiting('read')).toBe(1);
    await say(harness, 4);
    await say(harness, 5);
    expect(ann.answers(id)).toEqual([]);
    gates.release('read');
    await turn();
    await say(harness, 6);
    await turn();
    expect(subscribed(ann)).toMatchObject({ offset: 1, recovered: true });
    expect(texts(ann)).toEqual(numbers(2, 6));
    expect(texts(bob)).toEqual(numbers(4, 6));
  });

  it('is merged with messages that come after it was read and before it arrives', async () => {
    const { broker, arrive } = lateReads();
    const harness = openRoom({}, { broker });
    for (let i = 1; i <= 3; i += 1) await say(harness, i);
    const ann = await harness.connect('ann');
    ann.subscribe('room/a', { rewind: 2 });
    await turn();
    for (let i = 4; i <= 6; i += 1) await say(harness, i);
    arrive();
    await turn();
    expect(texts(ann)).toEqual(numbers(2, 6));
  });

  it('is read again where more came meanwhile than is held', async () => {
    const { broker, arrive } = lateReads();
    const harness = openRoom({}, { broker });
    const log = harness.app.channel('log', {});
    await log.broadcast('line', 1);
    const ann = await harness.connect('ann');
    ann.subscribe('log', { rewind: 5 });
    await turn();
    for (let i = 2; i <= 700; i += 1) await log.broadcast('line', i);
    for (let i = 0; i < 5; i += 1) {
      arrive();
      await turn();
    }
    await log.broadcast('line', 701);
    await turn();
    expect(ann.messages).toEqual(Array.from({ length: 701 }, (_, i) => i + 1));
  });

  it('shows what it lost while it was read as a gap', async () => {
    const { broker, arrive } = lateReads();
    const harness = openRoom({}, { broker });
    await say(harness, 1);
    const ann = await harness.connect('ann');
    ann.subscribe('room/a', { rewind: 5 });
    await turn();
    for (let i = 2; i <= 400; i += 1) await say(harness, i);
    for (let i = 0; i < 3; i += 1) {
      arrive();
      await turn();
    }
    expect(ann.offsets[0]).toBe(1);
    expect(ann.offsets.slice(1)).toEqual(Array.from({ length: 100 }, (_, i) => 301 + i));
  });

  it('is handed out no faster than the session takes it', async () => {
    const harness = openRoom({}, { limits: { outboxBytes: 4_000 } });
    for (let i = 1; i <= 100; i += 1) await say(harness, `${i} ${'x'.repeat(200)}`);
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a', { rewind: 100 }));
    expect(ann.messages.length).toBeLessThan(20);
    for (let i = 0; i < 100 && ann.messages.length < 101; i += 1) {
      ann.ack();
      if (i === 5) await say(harness, 'live');
      await harness.advance(1_000);
    }
    expect(ann.offsets).toEqual(Array.from({ length: 101 }, (_, i) => i + 1));
    expect(ann.session.ended).toBeNull();
    await say(harness, 'later');
    await turn();
    expect(ann.offsets.at(-1)).toBe(102);
    expect(ann.offsets.length).toBe(102);
  });

  it('waits for no room once the subscription has ended', async () => {
    const harness = openRoom({}, { limits: { outboxBytes: 4_000 } });
    for (let i = 1; i <= 50; i += 1) await say(harness, `${i} ${'x'.repeat(200)}`);
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a', { rewind: 100 }));
    const { length } = ann.messages;
    ann.send([Type.unsubscribe, 'room/a']);
    ann.ack();
    await turn();
    expect(ann.messages).toHaveLength(length);
    expect(harness.app.stats.channels).toBe(0);
  });

  it('waits for room without a timer, and without holding up the answer to an attach', async () => {
    const harness = openRoom({}, { limits: { outboxBytes: 4_000 } });
    for (let i = 1; i <= 50; i += 1) await say(harness, `${i} ${'x'.repeat(200)}`);
    const answered: string[] = [];
    const answer = {
      end: (lines: readonly { readonly text: string }[]) => answered.push(...lines.map(({ text }) => text)),
    };
    const subs = [[1, 'room/a', { rewind: 50 }]] as const;
    const attach = { v: 1, cid: 'c', gen: 1, rx: 0, mode: 'poll', hold: 0, subs } as const;
    harness.registry.attach(attach, { id: 'ann' }, { answer }, harness.clock.now());
    await turn();
    const types = answered.map((line) => JSON.parse(line)[0]);
    expect(types.slice(0, 2)).toEqual([Type.welcome, Type.subscribed]);
    expect(types.filter((type) => type === Type.message).length).toBeGreaterThan(5);
    expect(harness.clock.pending).toBe(0);
  });
});

describe('a subscription that is under way', () => {
  const held = async (step: 'subscribe' | 'read') => {
    const gates = new Gates();
    const harness = openRoom({}, { latency: gates.latency });
    await say(harness, 'x');
    const ann = await harness.connect('ann');
    gates.hold(step);
    return { gates, harness, ann };
  };

  it.each(['subscribe', 'read'] as const)(
    'is canceled by unsubscribe while the broker takes its time to %s',
    async (step) => {
      const { gates, harness, ann } = await held(step);
      const id = ann.subscribe('room/a', { rewind: 5 });
      await turn();
      ann.send([Type.unsubscribe, 'room/a']);
      expect(await ann.codeOf(id)).toBe('canceled');
      gates.release(step);
      await turn();
      await say(harness, 'y');
      await turn();
      expect(ann.answers(id)).toHaveLength(1);
      expect(ann.messages).toEqual([]);
      expect(harness.app.stats).toMatchObject({ channels: 0, subscriptions: 0 });
    },
  );

  it.each(['subscribe', 'read'] as const)(
    'gives way to a newer one while the broker takes its time to %s',
    async (step) => {
      const { gates, harness, ann } = await held(step);
      const first = ann.subscribe('room/a', { rewind: 5 });
      await turn();
      const second = ann.subscribe('room/a', { rewind: 1 });
      gates.release(step);
      expect(await ann.codeOf(first)).toBe('canceled');
      expect(await ann.codeOf(second)).toBeNull();
      expect(texts(ann)).toEqual(['x']);
      await say(harness, 'y');
      await turn();
      expect(texts(ann)).toEqual(['x', 'y']);
      expect(harness.app.stats).toMatchObject({ channels: 1, subscriptions: 1 });
    },
  );

  it.each(['subscribe', 'read'] as const)(
    'ends with its session while the broker takes its time to %s',
    async (step) => {
      const { gates, harness, ann } = await held(step);
      ann.subscribe('room/a', { rewind: 5 });
      await turn();
      ann.send([Type.goaway, 'closed', '', 0]);
      gates.release(step);
      await turn();
      expect(harness.app.stats).toMatchObject({ channels: 0, subscriptions: 0 });
      const bob = await harness.connect('bob');
      expect(await bob.codeOf(bob.subscribe('room/a'))).toBeNull();
    },
  );

  it.each(['subscribe', 'read'] as const)(
    'is answered broker_failed when the broker fails to %s, which the app is told, and may be tried again',
    async (step) => {
      const { gates, harness, ann } = await held(step);
      const id = ann.subscribe('room/a', { rewind: 5 });
      await turn();
      gates.fail(step);
      expect(await ann.codeOf(id)).toBe('broker_failed');
      expect(harness.errors).toMatchObject([{ context: { during: 'subscribe', channel: 'room/a' } }]);
      expect(harness.app.stats).toMatchObject({ channels: 0, subscriptions: 0 });
      expect(await ann.codeOf(ann.subscribe('room/a', { rewind: 5 }))).toBeNull();
      expect(texts(ann)).toEqual(['x']);
    },
  );

  it('replaces a live one from the position it names', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a'));
    for (let i = 1; i <= 3; i += 1) await say(harness, i);
    const { epoch = '' } = subscribed(ann) ?? {};
    await ann.answer(ann.subscribe('room/a', { since: { epoch, offset: 1 } }));
    expect(subscribed(ann)).toMatchObject({ recovered: true, offset: 1 });
    expect(texts(ann)).toEqual(['1', '2', '3', '2', '3']);
    await say(harness, 4);
    await turn();
    expect(texts(ann).slice(5)).toEqual(['4']);
  });
});

describe('a message that comes too early', () => {
  const withLive = async () => {
    const gates = new Gates();
    const harness = openRoom({}, { latency: gates.latency });
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a'));
    await ann.answer(ann.subscribe('ticker'));
    return { gates, harness, ann };
  };

  it('waits for those before it, read from the log', async () => {
    const { gates, harness, ann } = await withLive();
    gates.hold('deliver');
    for (let i = 1; i <= 4; i += 1) await say(harness, i);
    gates.release('deliver', [2, 0, 1, 3]);
    await turn();
    expect(ann.offsets).toEqual([1, 2, 3, 4]);
    expect(texts(ann)).toEqual(['1', '2', '3', '4']);
  });

  it('brings back what was lost on the way', async () => {
    const { gates, harness, ann } = await withLive();
    gates.hold('deliver');
    await say(harness, 1);
    await say(harness, 2);
    gates.fail('deliver');
    await turn();
    await say(harness, 3);
    await turn();
    expect(ann.offsets).toEqual([1, 2, 3]);
  });

  it('shows as a gap where there is no log', async () => {
    const { gates, harness, ann } = await withLive();
    const ticker = harness.app.channel('ticker', {});
    gates.hold('deliver');
    await ticker.broadcast('quote', 1);
    gates.fail('deliver');
    await ticker.broadcast('quote', 2);
    await turn();
    expect(ann.offsets).toEqual([2]);
  });

  it('is passed on, late, where the log cannot be read', async () => {
    const { gates, harness, ann } = await withLive();
    gates.hold('deliver');
    await say(harness, 1);
    gates.fail('deliver');
    await turn();
    gates.hold('read');
    await say(harness, 2);
    await say(harness, 3);
    gates.fail('read');
    await turn();
    expect(ann.offsets).toEqual([2, 3]);
  });
});

describe('a log that begins another life', () => {
  it('sends subscribers away, who then learn that they may have missed something', async () => {
    const clock = new VirtualClock();
    let lives = 0;
    const newBroker = (): Broker => memoryBroker({ clock, newId: () => `life${++lives}` });
    let inner = newBroker();
    const listeners = new Map<string, Parameters<Broker['subscribe']>[1]>();
    const broker: Broker = {
      publish: (...args) => inner.publish(...args),
      send: (...args) => inner.send(...args),
      read: (...args) => inner.read(...args),
      heads: (...args) => inner.heads(...args),
      subscribe: (channel, listener) => {
        listeners.set(channel, listener);
        return inner.subscribe(channel, listener);
      },
      unsubscribe: (...args) => inner.unsubscribe(...args),
      close: () => inner.close(),
    };
    const harness = openRoom({}, { broker });
    const ann = await harness.connect('ann');
    await ann.answer(ann.subscribe('room/a'));
    await say(harness, 'old');
    const { epoch = '' } = subscribed(ann) ?? {};
    inner = newBroker();
    for (const [channel, listener] of listeners) await inner.subscribe(channel, listener);
    await say(harness, 'new');
    await turn();
    expect(ann.ofType(Type.revoked)).toMatchObject([[26, 1, 'broker_failed', expect.any(String)]]);
    expect(texts(ann)).toEqual(['old']);
    await ann.answer(ann.subscribe('room/a', { since: { epoch, offset: 1 } }));
    expect(subscribed(ann)).toMatchObject({ recovered: false, offset: 0 });
    expect(texts(ann)).toEqual(['old', 'new']);
  });
});

/** A broker whose pages of the log arrive when `arrive` is called, however long ago they were read. */
function lateReads(): { broker: Broker; arrive: () => void } {
  const inner = memoryBroker({ clock: new VirtualClock(), newId: () => 'b' });
  let arrivals: (() => void)[] = [];
  const broker: Broker = {
    publish: (...args) => inner.publish(...args),
    send: (...args) => inner.send(...args),
    read: async (channel, query) => {
      const read = await inner.read(channel, query);
      if (query.limit !== 0) await new Promise<void>((resolve) => arrivals.push(resolve));
      return read;
    },
    heads: (...args) => inner.heads(...args),
    subscribe: (...args) => inner.subscribe(...args),
    unsubscribe: (...args) => inner.unsubscribe(...args),
    close: () => inner.close(),
  };
  const arrive = (): void => {
    const due = arrivals;
    arrivals = [];
    for (const resolve of due) resolve();
  };
  return { broker, arrive };
}
