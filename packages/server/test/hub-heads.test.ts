import { Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import type { Broker, BrokerWatcher } from '../src/brokers/broker.ts';
import { memoryBroker } from '../src/brokers/memory.ts';
import type { TestClient } from './harness.ts';
import { openRoom } from './open-room.ts';
import { turn, VirtualClock } from './virtual-clock.ts';

/** A broker that may lose what it brings, its connection, and its memory. */
function frailBroker() {
  const clock = new VirtualClock();
  const watchers = new Set<BrokerWatcher>();
  let lives = 0;
  const loses = { messages: false, calls: false };
  const calls = { heads: 0 };
  const newBroker = (): Broker =>
    memoryBroker({
      clock,
      newId: () => `life${++lives}`,
      latency: (step) => {
        if (step === 'heads') calls.heads += 1;
        const isLost = step === 'deliver' ? loses.messages : loses.calls;
        return isLost ? Promise.reject(new Error('lost')) : undefined;
      },
    });
  let inner = newBroker();
  const broker: Broker = {
    publish: (...args) => inner.publish(...args),
    send: (...args) => inner.send(...args),
    read: (...args) => inner.read(...args),
    heads: (...args) => inner.heads(...args),
    subscribe: (...args) => inner.subscribe(...args),
    unsubscribe: (...args) => inner.unsubscribe(...args),
    watch: (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    close: () => inner.close(),
  };
  const harness = openRoom({}, { broker });
  const say = async (text: string): Promise<void> => {
    await harness.app.channel('room/:roomId', { roomId: 'a' }).broadcast('note', text);
    await turn();
  };
  const quote = async (price: number): Promise<void> => {
    await harness.app.channel('ticker', {}).broadcast('quote', price);
    await turn();
  };
  return {
    harness,
    broker,
    loses,
    calls,
    watchers,
    say,
    quote,
    forget: () => {
      inner = newBroker();
    },
    lost: () => {
      for (const watcher of watchers) watcher.lost(new Error('gone'));
    },
    restored: async () => {
      for (const watcher of watchers) watcher.restored();
      await turn();
    },
  };
}

const revokedOf = (client: TestClient) => client.ofType(Type.revoked).map(([, , code]) => code);

describe('a hub', () => {
  it('finds the last message of a log, which was lost, when it looks at the heads', async () => {
    const { harness, loses, say } = frailBroker();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    await say('first');
    loses.messages = true;
    await say('last');
    expect(ann.offsets).toEqual([1]);
    await harness.clock.advance(9_999);
    expect(ann.offsets).toEqual([1]);
    await harness.clock.advance(1);
    await turn();
    expect(ann.offsets).toEqual([1, 2]);
    expect(revokedOf(ann)).toEqual([]);
  });

  it('looks again and again', async () => {
    const { harness, loses, say } = frailBroker();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    loses.messages = true;
    for (let offset = 1; offset <= 3; offset += 1) {
      await say('x');
      await harness.clock.advance(10_000);
      await turn();
      expect(ann.offsets).toHaveLength(offset);
    }
  });

  it('looks at once when the broker is back', async () => {
    const { harness, loses, say, lost, restored } = frailBroker();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    lost();
    loses.messages = true;
    await say('x');
    loses.messages = false;
    expect(ann.offsets).toEqual([]);
    await restored();
    expect(ann.offsets).toEqual([1]);
  });

  it('sends subscribers away where a message is lost that no log has', async () => {
    const { harness, loses, quote } = frailBroker();
    const ann = await harness.connect('ann', [[1, 'ticker', {}]]);
    loses.messages = true;
    await quote(1);
    await harness.clock.advance(10_000);
    await turn();
    // It might be on its way.
    expect(revokedOf(ann)).toEqual([]);
    await harness.clock.advance(10_000);
    await turn();
    expect(revokedOf(ann)).toEqual(['broker_failed']);
  });

  it('leaves subscribers alone where the message of no log was only late', async () => {
    const { harness, loses, quote } = frailBroker();
    const ann = await harness.connect('ann', [[1, 'ticker', {}]]);
    loses.messages = true;
    await quote(1);
    await harness.clock.advance(10_000);
    await turn();
    loses.messages = false;
    await quote(2);
    await harness.clock.advance(30_000);
    expect(revokedOf(ann)).toEqual([]);
    expect(ann.offsets).toEqual([2]);
  });

  it('sends subscribers away when the broker is back without its log', async () => {
    const { harness, broker, say, forget, lost, restored } = frailBroker();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    await say('x');
    const { epoch } = await broker.read('room/a', { limit: 0 });
    lost();
    forget();
    await restored();
    expect(revokedOf(ann)).toEqual(['broker_failed']);
    expect(harness.app.stats.channels).toBe(0);
    const again = await ann.answer(ann.subscribe('room/a', { since: { epoch, offset: 1 } }));
    expect(again).toMatchObject([Type.subscribed, expect.any(Number), { recovered: false }]);
  });

  it('tries again later where the heads cannot be read', async () => {
    const { harness, loses, say } = frailBroker();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    loses.messages = true;
    await say('x');
    loses.calls = true;
    await harness.clock.advance(10_000);
    await turn();
    loses.calls = false;
    expect(ann.offsets).toEqual([]);
    await harness.clock.advance(10_000);
    await turn();
    expect(ann.offsets).toEqual([1]);
  });

  it('asks nothing without channels, and nothing any more once it is closed', async () => {
    const { harness, calls, watchers } = frailBroker();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    await harness.clock.advance(10_000);
    expect(calls.heads).toBe(1);
    ann.send([Type.unsubscribe, 'room/a']);
    await turn();
    await harness.clock.advance(60_000);
    expect(calls.heads).toBeLessThanOrEqual(2);
    await harness.app.close();
    expect(watchers.size).toBe(0);
  });
});
