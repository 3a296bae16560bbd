import { describe, expect, it } from 'vitest';
import type { BrokerListener, LogEntry, NewEntry } from '../../src/brokers/broker.ts';
import { memoryBroker } from '../../src/brokers/memory.ts';
import { turn, VirtualClock } from '../virtual-clock.ts';

/** Keeps what it hears. */
class Recorder implements BrokerListener {
  readonly entries: LogEntry[] = [];

  get data(): number[] {
    return this.entries.map(({ data }) => Number(data));
  }
  message(entry: LogEntry): void {
    this.entries.push(entry);
  }
  volatile(): void {}
}

const entryOf = (data: number): NewEntry => ({ event: 'message', data: String(data) });

describe('memoryBroker', () => {
  const history = { size: 5, ttlMs: 60_000 };

  it('has published and delivered when the call returns', () => {
    const broker = memoryBroker({ clock: new VirtualClock() });
    const heard = new Recorder();
    void broker.subscribe('a', heard);
    void broker.publish('a', entryOf(1), { history });
    expect(heard.data).toEqual([1]);
  });

  it('forgets an idempotency key after its window', async () => {
    const clock = new VirtualClock();
    const broker = memoryBroker({ clock, dedupMs: 1_000 });
    const publish = () => broker.publish('a', entryOf(1), { history, idempotencyKey: 'k' });
    await publish();
    await clock.advance(999);
    expect((await publish()).offset).toBe(1);
    await clock.advance(1);
    expect((await publish()).offset).toBe(2);
  });

  it('remembers so many idempotency keys and no more', async () => {
    const broker = memoryBroker({ clock: new VirtualClock(), keysMax: 2 });
    const publish = (idempotencyKey: string) => broker.publish('a', entryOf(1), { history, idempotencyKey });
    for (const key of ['k1', 'k2', 'k3']) await publish(key);
    expect((await publish('k3')).offset).toBe(3);
    expect((await publish('k1')).offset).toBe(4);
  });

  it('gives an idle channel another epoch rather than an offset twice', async () => {
    const clock = new VirtualClock();
    const broker = memoryBroker({ clock, idleMs: 1_000 });
    const first = await broker.publish('a', entryOf(1), { history: null });
    await clock.advance(1_000);
    for (let i = 0; i < 10; i += 1) await broker.publish('b', entryOf(1), { history });
    const second = await broker.publish('a', entryOf(2), { history: null });
    expect(second.offset).toBe(1);
    expect(second.epoch).not.toBe(first.epoch);
  });

  it('keeps the head of a channel that somebody listens to, however idle', async () => {
    const clock = new VirtualClock();
    const broker = memoryBroker({ clock, idleMs: 1_000 });
    await broker.subscribe('a', new Recorder());
    await broker.publish('a', entryOf(1), { history: null });
    await clock.advance(10_000);
    for (let i = 0; i < 10; i += 1) await broker.publish('b', entryOf(1), { history });
    expect((await broker.publish('a', entryOf(2), { history: null })).offset).toBe(2);
  });

  it('stays within its bounds over 100,000 channels', async () => {
    const broker = memoryBroker({ clock: new VirtualClock(), idleChannelsMax: 100, bytesMax: 20_000 });
    const data = JSON.stringify('x'.repeat(100));
    for (let i = 0; i < 100_000; i += 1) void broker.publish(`c${i}`, { event: 'message', data }, { history });
    const names = Array.from({ length: 100_000 }, (_, i) => `c${i}`);
    const heads = await broker.heads(names);
    expect(heads.size).toBeLessThanOrEqual(100);
    expect(heads.has('c99999')).toBe(true);
    const reads = await Promise.all([...heads.keys()].map((name) => broker.read(name, {})));
    const bytes = reads.flatMap(({ entries }) => entries).reduce((sum, entry) => sum + entry.data.length, 0);
    expect(bytes).toBeLessThanOrEqual(20_000);
    expect(bytes).toBeGreaterThan(0);
  });

  it('loses a message, and not the channel, where the latency hook rejects', async () => {
    const lost = { next: false };
    const broker = memoryBroker({
      clock: new VirtualClock(),
      latency: (step) => (step === 'deliver' && lost.next ? Promise.reject(new Error('lost')) : undefined),
    });
    const heard = new Recorder();
    await broker.subscribe('a', heard);
    lost.next = true;
    await broker.publish('a', entryOf(1), { history });
    lost.next = false;
    await broker.publish('a', entryOf(2), { history });
    await turn();
    expect(heard.entries).toMatchObject([{ offset: 2, prev: 1 }]);
  });

  it('fails a call with broker_failed where the latency hook rejects', async () => {
    const latency = () => Promise.reject(new Error('down'));
    const broker = memoryBroker({ clock: new VirtualClock(), latency });
    await expect(broker.publish('a', entryOf(1), { history })).rejects.toMatchObject({ code: 'broker_failed' });
  });
});
