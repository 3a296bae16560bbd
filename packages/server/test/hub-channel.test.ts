import { Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import type { Broker, BrokerListener, LogEntry } from '../src/brokers/broker.ts';
import { memoryBroker } from '../src/brokers/memory.ts';
import type { Harness, TestClient } from './harness.ts';
import { openRoom } from './open-room.ts';
import { turn, VirtualClock } from './virtual-clock.ts';

/** A broker that passes everything on to another, which may be replaced, and lets a test speak to the listeners itself. */
class SwitchedBroker implements Broker {
  readonly listeners = new Map<string, BrokerListener>();
  inner: Broker;
  #lives = 0;
  /** While set, reads arrive when it resolves, however long ago they were made. */
  late: Promise<void> | null = null;

  constructor() {
    this.inner = this.next();
  }
  next(): Broker {
    this.#lives += 1;
    return memoryBroker({ clock: new VirtualClock(), newId: () => `life${this.#lives}` });
  }
  publish: Broker['publish'] = (...args) => this.inner.publish(...args);
  send: Broker['send'] = (...args) => this.inner.send(...args);
  heads: Broker['heads'] = (...args) => this.inner.heads(...args);
  unsubscribe: Broker['unsubscribe'] = (channel, listener) => {
    if (this.listeners.get(channel) === listener) this.listeners.delete(channel);
    this.inner.unsubscribe(channel, listener);
  };
  close: Broker['close'] = () => this.inner.close();
  subscribe: Broker['subscribe'] = (channel, listener) => {
    this.listeners.set(channel, listener);
    return this.inner.subscribe(channel, listener);
  };
  read: Broker['read'] = async (...args) => {
    const read = await this.inner.read(...args);
    await this.late;
    return read;
  };
}

const setUp = () => {
  const broker = new SwitchedBroker();
  return { broker, harness: openRoom({}, { broker }) };
};
const say = (harness: Harness, text: string) =>
  harness.app.channel('room/:roomId', { roomId: 'a' }).broadcast('note', text);
const subscribed = (client: TestClient) => client.ofType(Type.subscribed).at(-1)?.[2];

describe('a hub channel', () => {
  it('passes a message on once, however often the broker brings it', async () => {
    const { broker, harness } = setUp();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    await say(harness, 'x');
    const { entries, epoch } = await broker.read('room/a', {});
    broker.listeners.get('room/a')?.message(entries[0] as LogEntry, epoch);
    await turn();
    expect(ann.offsets).toEqual([1]);
  });

  it('counts what it hears while it opens', async () => {
    const { broker, harness } = setUp();
    let arrive = (): void => {};
    broker.late = new Promise((resolve) => {
      arrive = resolve;
    });
    const ann = await harness.connect('ann', [[1, 'ticker', {}]]);
    const ticker = harness.app.channel('ticker', {});
    await ticker.broadcast('quote', 1);
    arrive();
    await turn();
    expect(subscribed(ann)).toMatchObject({ offset: 1 });
    await ticker.broadcast('quote', 2);
    await turn();
    expect(ann.ofType(Type.message)).toEqual([[16, 1, 2, 0, 2]]);
  });

  it('begins anew when a subscriber reads a log of another life', async () => {
    const { broker, harness } = setUp();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    await say(harness, 'old');
    await turn();
    broker.inner = broker.next();
    await say(harness, 'new');
    const bob = await harness.connect('bob', [[1, 'room/a', { rewind: 5 }]]);
    expect(ann.ofType(Type.revoked)).toMatchObject([[26, 1, 'broker_failed', expect.any(String)]]);
    expect(subscribed(bob)).toMatchObject({ offset: 0, epoch: expect.stringContaining('life2') });
    expect(bob.messages).toEqual(['new']);
  });

  it('says of an event that its contract does not have, that its offset is skipped, with those that the log never had', async () => {
    const { broker, harness } = setUp();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    const { epoch } = await broker.read('room/a', { limit: 0 });
    broker.listeners.get('room/a')?.message({ offset: 3, prev: 0, event: 'later', data: '1' }, epoch);
    await turn();
    expect(ann.ofType(Type.skipped)).toEqual([[23, 1, 1, 3]]);
  });

  it('takes for a subscriber who was answered and has not left', async () => {
    const { broker, harness } = setUp();
    const room = harness.app.channel('room/:roomId', { roomId: 'a' });
    const counted: number[] = [];
    const count = async (): Promise<void> => void counted.push((await room.occupancy()).subscribers);
    const [ann, eve] = [await harness.connect('ann', [[1, 'room/a', {}]]), await harness.connect('eve')];
    let arrive = (): void => {};
    broker.late = new Promise((resolve) => {
      arrive = resolve;
    });
    const bob = await harness.connect('bob', [[1, 'room/a', { rewind: 5 }]]);
    await count();
    await room.broadcast('typing', { name: 'x' });
    await eve.answer(eve.request('room/a', '$enter', { color: 'red' }));
    await harness.advance(1_000);
    const told = ({ frames }: TestClient) =>
      frames.map(([type]) => type).filter((type) => type === Type.volatile || type === Type.presence);
    expect([told(ann), told(bob)]).toEqual([[Type.volatile, Type.presence], []]);
    arrive();
    await turn();
    await count();
    bob.send([Type.unsubscribe, 'room/a']);
    await turn();
    await count();
    expect(counted).toEqual([1, 2, 1]);
  });

  it('leaves no listener at the broker', async () => {
    const { broker, harness } = setUp();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    expect(broker.listeners.size).toBe(1);
    ann.send([Type.unsubscribe, 'room/a']);
    ann.subscribe('room/a');
    ann.send([Type.unsubscribe, 'room/a']);
    await turn();
    expect(broker.listeners.size).toBe(0);
  });
});
