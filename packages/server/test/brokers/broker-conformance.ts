/** What every broker has to do, whatever it is made of. Each test takes a broker of its own and channels that no other uses. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Broker, BrokerListener, LogEntry, NewEntry } from '../../src/brokers/broker.ts';

export interface BrokerUnderTest {
  readonly broker: Broker;
  /** Lets time go by, for brokers whose time is the test's; others wait for as long. */
  readonly advance: (ms: number) => Promise<void>;
  /** Lets messages under way arrive. */
  readonly settle: () => Promise<void>;
}

const kept = { size: 5, ttlMs: 60_000 };

export function describeBroker(name: string, create: () => BrokerUnderTest | Promise<BrokerUnderTest>): void {
  describe(`${name}, as a broker`, () => {
    let under: BrokerUnderTest;
    let broker: Broker;
    beforeEach(async () => {
      under = await create();
      broker = under.broker;
    });
    afterEach(() => broker.close());

    const publish = (channel: string, data: number, idempotencyKey?: string) =>
      broker.publish(channel, entryOf(data), { history: kept, idempotencyKey });

    describe('publish', () => {
      it('gives offsets that rise by one from 1, in one epoch', async () => {
        const positions = [await publish('a', 1), await publish('a', 2), await publish('a', 3)];
        expect(positions.map(({ offset }) => offset)).toEqual([1, 2, 3]);
        expect(new Set(positions.map(({ epoch }) => epoch)).size).toBe(1);
        expect(positions[0]?.epoch).toMatch(/^[^\p{Cc}]{1,64}$/u);
      });

      it('counts each channel for itself', async () => {
        await publish('a', 1);
        expect((await publish('b', 1)).offset).toBe(1);
      });

      it('lets offsets rise without history too', async () => {
        await broker.subscribe('a', new Recorder());
        const options = { history: null };
        expect((await broker.publish('a', entryOf(1), options)).offset).toBe(1);
        expect((await broker.publish('a', entryOf(2), options)).offset).toBe(2);
        expect((await broker.read('a', {})).entries).toEqual([]);
      });

      it('keeps concurrent publishes apart', async () => {
        const positions = await Promise.all(Array.from({ length: 20 }, (_, i) => publish('a', i)));
        expect(new Set(positions.map(({ offset }) => offset)).size).toBe(20);
      });
    });

    describe('idempotency', () => {
      it('appends a key once and gives its position again', async () => {
        const first = await publish('a', 1, 'k');
        await publish('a', 2);
        expect(await publish('a', 1, 'k')).toEqual(first);
        expect(await dataOf(broker, 'a')).toEqual([1, 2]);
      });

      it('appends a key once when it comes twice at a time', async () => {
        const [one, two] = await Promise.all([publish('a', 1, 'k'), publish('a', 1, 'k')]);
        expect(one).toEqual(two);
        expect(await dataOf(broker, 'a')).toEqual([1]);
      });

      it('keeps the keys of channels apart', async () => {
        await publish('a', 1, 'k');
        await publish('b', 2, 'k');
        expect(await dataOf(broker, 'b')).toEqual([2]);
      });

      it('lets nobody hear a repeated publish twice', async () => {
        const heard = new Recorder();
        await broker.subscribe('a', heard);
        await publish('a', 1, 'k');
        await publish('a', 1, 'k');
        await under.settle();
        expect(heard.data).toEqual([1]);
      });
    });

    describe('read', () => {
      it('gives the entries after a position, with prev, event, data and by', async () => {
        const { epoch } = await broker.publish('a', { ...entryOf(1), by: 'ann' }, { history: kept });
        await publish('a', 2);
        const read = await broker.read('a', { since: { epoch, offset: 0 } });
        expect(read).toMatchObject({ epoch, complete: true, head: 2 });
        expect(read.entries[0]).toMatchObject({ offset: 1, prev: 0, event: 'message', data: '1', by: 'ann' });
        expect(read.entries[1]).toMatchObject({ offset: 2, prev: 1, data: '2' });
      });

      it('brings the key of a message along, to readers and to listeners', async () => {
        const heard = new Recorder();
        await broker.subscribe('a', heard);
        const key = '"a\u2028b"';
        await broker.publish('a', { ...entryOf(1), key }, { history: kept });
        await publish('a', 2);
        await under.settle();
        const { entries } = await broker.read('a', {});
        expect(entries.map((entry) => entry.key)).toEqual([key, undefined]);
        expect(heard.entries.map((entry) => entry.key)).toEqual([key, undefined]);
      });

      it('gives nothing, completely, after the head', async () => {
        const since = await publish('a', 1);
        expect(await broker.read('a', { since })).toMatchObject({ entries: [], complete: true, head: 1 });
      });

      it('says so when something between is no longer kept', async () => {
        const first = await publish('a', 1);
        for (let i = 2; i <= 7; i += 1) await publish('a', i);
        const read = await broker.read('a', { since: first });
        expect(read.complete).toBe(false);
        expect(read.entries.map(({ offset }) => offset)).toEqual([3, 4, 5, 6, 7]);
        expect((await broker.read('a', { since: { ...first, offset: 2 } })).complete).toBe(true);
      });

      it('is not complete after a position of another epoch, or one that was never reached', async () => {
        const { epoch } = await publish('a', 1);
        const other = await broker.read('a', { since: { epoch: 'other', offset: 1 } });
        expect(other).toMatchObject({ epoch, complete: false });
        expect(other.entries.map(({ offset }) => offset)).toEqual([1]);
        expect((await broker.read('a', { since: { epoch, offset: 9 } })).complete).toBe(false);
      });

      it('gives the newest, or those before an offset, up to a limit', async () => {
        for (let i = 1; i <= 5; i += 1) await publish('a', i);
        const offsets = async (query: Parameters<Broker['read']>[1]) =>
          (await broker.read('a', query)).entries.map(({ offset }) => offset);
        expect(await offsets({})).toEqual([1, 2, 3, 4, 5]);
        expect(await offsets({ limit: 2 })).toEqual([4, 5]);
        expect(await offsets({ limit: 2, before: 4 })).toEqual([2, 3]);
        expect(await offsets({ before: 1 })).toEqual([]);
        expect(await offsets({ limit: 0 })).toEqual([]);
      });

      it('gives the oldest after a position up to a limit', async () => {
        const { epoch } = await publish('a', 1);
        for (let i = 2; i <= 5; i += 1) await publish('a', i);
        const read = await broker.read('a', { since: { epoch, offset: 1 }, limit: 2 });
        expect(read.entries.map(({ offset }) => offset)).toEqual([2, 3]);
        expect(read.head).toBe(5);
      });

      it('keeps no more entries than the history is long', async () => {
        for (let i = 1; i <= 9; i += 1) await publish('a', i);
        expect(await dataOf(broker, 'a')).toEqual([5, 6, 7, 8, 9]);
      });

      it('keeps no entry longer than the history says', async () => {
        const first = await broker.publish('a', entryOf(1), { history: { size: 5, ttlMs: 1_000 } });
        await under.advance(1_500);
        expect(await broker.read('a', { since: { ...first, offset: 0 } })).toMatchObject({
          entries: [],
          complete: false,
        });
      });
    });

    describe('heads', () => {
      it('names the newest position of the channels that have one', async () => {
        await publish('a', 1);
        const position = await publish('a', 2);
        expect(await broker.heads(['a', 'nobody'])).toEqual(new Map([['a', position]]));
      });
    });

    describe('subscribe', () => {
      it('lets every listener hear what is published, once, in order', async () => {
        const [one, two] = [new Recorder(), new Recorder()];
        await broker.subscribe('a', one);
        await broker.subscribe('a', two);
        for (let i = 1; i <= 20; i += 1) await publish('a', i);
        await under.settle();
        const all = Array.from({ length: 20 }, (_, i) => i + 1);
        expect(one.data).toEqual(all);
        expect(two.data).toEqual(all);
        expect(one.entries.map(({ offset }) => offset)).toEqual(all);
        expect(one.entries.every(({ offset, prev }) => prev === offset - 1)).toBe(true);
      });

      it('names the epoch that publish and read name', async () => {
        const heard = new Recorder();
        await broker.subscribe('a', heard);
        const { epoch } = await publish('a', 1);
        await under.settle();
        expect(heard.epochs).toEqual([epoch]);
        expect((await broker.read('a', {})).epoch).toBe(epoch);
      });

      it('lets nobody hear of other channels', async () => {
        const heard = new Recorder();
        await broker.subscribe('a', heard);
        await publish('b', 1);
        await under.settle();
        expect(heard.data).toEqual([]);
      });

      it('ends with unsubscribe, for that listener only', async () => {
        const [gone, stays] = [new Recorder(), new Recorder()];
        await broker.subscribe('a', gone);
        await broker.subscribe('a', stays);
        broker.unsubscribe('a', gone);
        await publish('a', 1);
        await under.settle();
        expect([gone.data, stays.data]).toEqual([[], [1]]);
      });

      it('misses nothing between subscribing and reading', async () => {
        const heard = new Recorder();
        await publish('a', 1);
        const subscribed = broker.subscribe('a', heard);
        const published = publish('a', 2);
        await subscribed;
        const { entries } = await broker.read('a', {});
        await published;
        await publish('a', 3);
        await under.settle();
        expect(new Set([...entries.map(({ data }) => Number(data)), ...heard.data])).toEqual(new Set([1, 2, 3]));
      });
    });

    describe('send', () => {
      it('reaches those who listen, and no log', async () => {
        const heard = new Recorder();
        await broker.subscribe('a', heard);
        broker.send('a', { ...entryOf(1), by: 'ann' });
        await under.settle();
        expect(heard.volatiles).toEqual([{ ...entryOf(1), by: 'ann' }]);
        expect(await broker.read('a', {})).toMatchObject({ entries: [], head: 0 });
      });
    });

    describe('names', () => {
      it('are only names', async () => {
        for (const channel of ['__proto__', 'constructor', 'a%2Fb']) {
          await publish(channel, 1, 'toString');
          expect(await dataOf(broker, channel)).toEqual([1]);
        }
      });
    });

    describe('close', () => {
      it('makes every later call fail with broker_failed', async () => {
        await broker.close();
        await expect(publish('a', 1)).rejects.toMatchObject({ code: 'broker_failed' });
        await expect(broker.read('a', {})).rejects.toMatchObject({ code: 'broker_failed' });
        await expect(broker.subscribe('a', new Recorder())).rejects.toMatchObject({ code: 'broker_failed' });
      });
    });
  });
}

/** Keeps what it hears. */
export class Recorder implements BrokerListener {
  readonly entries: LogEntry[] = [];
  readonly epochs: string[] = [];
  readonly volatiles: NewEntry[] = [];

  get data(): number[] {
    return this.entries.map(({ data }) => Number(data));
  }

  message(entry: LogEntry, epoch: string): void {
    this.entries.push(entry);
    if (this.epochs.at(-1) !== epoch) this.epochs.push(epoch);
  }

  volatile(entry: NewEntry): void {
    this.volatiles.push(entry);
  }
}

export const entryOf = (data: number): NewEntry => ({ event: 'message', data: String(data) });

async function dataOf(broker: Broker, channel: string): Promise<number[]> {
  return (await broker.read(channel, {})).entries.map(({ data }) => Number(data));
}
