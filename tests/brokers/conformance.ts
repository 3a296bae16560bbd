/** What every broker has to do, whatever it is made of. Each test has a broker of its own, and channels that no other test uses. */
import type { Broker, ReadQuery } from '@runnel/server';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { condition } from '../support/condition.ts';
import { dataOf, entryOf, Recorder } from './recorder.ts';

export interface BrokerUnderTest {
  readonly broker: Broker;
  /** Another connection to the same store; the same broker where it is the store. */
  readonly other: Broker;
  /** Lets time go by, for a broker whose time is the test's. */
  readonly advance?: (ms: number) => void;
}

const kept = { size: 5, ttlMs: 60_000 };

export function describeBroker(name: string, create: () => BrokerUnderTest | Promise<BrokerUnderTest>): void {
  describe(`${name}, as a broker`, () => {
    let under: BrokerUnderTest;
    let broker: Broker;
    beforeEach(async () => {
      under = await create();
      broker = under.broker;
      const { other } = under;
      onTestFinished(async () => {
        await broker.close();
        await other.close();
      });
    });

    const publish = (channel: string, data: number, idempotencyKey?: string) =>
      broker.publish(channel, entryOf(data), { history: kept, idempotencyKey });
    const read = (channel: string, query: ReadQuery = {}) => broker.read(channel, { history: kept, ...query });
    /** Publishes 1 … `count`, with messages of another channel between; gives the offsets. */
    const publishMany = async (channel: string, count: number): Promise<number[]> => {
      const offsets: number[] = [];
      for (let i = 1; i <= count; i += 1) {
        offsets.push((await publish(channel, i)).offset);
        await publish('between', i);
      }
      return offsets;
    };

    describe('publish', () => {
      it('gives offsets that rise, in one epoch', async () => {
        const positions = [await publish('a', 1), await publish('a', 2), await publish('a', 3)];
        const offsets = positions.map(({ offset }) => offset);
        expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
        expect(offsets[0]).toBeGreaterThan(0);
        expect(new Set(positions.map(({ epoch }) => epoch)).size).toBe(1);
        expect(positions[0]?.epoch).toMatch(/^[^\p{Cc}]{1,64}$/u);
      });

      it('keeps channels apart', async () => {
        await publish('a', 1);
        await publish('b', 2);
        expect(await dataOf(broker, 'a')).toEqual([1]);
        expect(await dataOf(broker, 'b')).toEqual([2]);
      });

      it('lets offsets rise without history too, and links them', async () => {
        const heard = new Recorder();
        await broker.subscribe('a', heard);
        const positions = [];
        for (const data of [1, 2]) positions.push(await broker.publish('a', entryOf(data), { history: null }));
        await Recorder.settle(broker, 'a');
        expect(heard.entries.map(({ offset }) => offset)).toEqual(positions.map(({ offset }) => offset));
        expect(heard.entries[1]?.prev).toBe(positions[0]?.offset);
        expect(await broker.read('a', {})).toMatchObject({ entries: [], head: positions[1]?.offset });
      });

      it('keeps concurrent publishes apart, from wherever they come', async () => {
        const { other } = under;
        const positions = await Promise.all(
          Array.from({ length: 20 }, (_, i) =>
            (i % 2 === 0 ? broker : other).publish('a', entryOf(i), { history: { size: 50, ttlMs: 60_000 } }),
          ),
        );
        expect(new Set(positions.map(({ offset }) => offset)).size).toBe(20);
        expect((await dataOf(broker, 'a')).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
      });

      it('keeps the order of the calls of one node', async () => {
        const count = 50;
        const history = { size: count, ttlMs: 60_000 };
        const positions = await Promise.all(
          Array.from({ length: count }, (_, i) => broker.publish('a', entryOf(i), { history })),
        );
        const offsets = positions.map(({ offset }) => offset);
        expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
        expect(await dataOf(broker, 'a')).toEqual(Array.from({ length: count }, (_, i) => i));
      });
    });

    describe('idempotency', () => {
      it('appends a key once and gives its position again', async () => {
        const first = await publish('a', 1, 'k');
        await publish('a', 2);
        expect(await publish('a', 1, 'k')).toEqual(first);
        expect(await dataOf(broker, 'a')).toEqual([1, 2]);
      });

      it('appends a key once that comes by two nodes at a time', async () => {
        const options = { history: kept, idempotencyKey: 'k' };
        const [one, two] = await Promise.all([
          broker.publish('a', entryOf(1), options),
          under.other.publish('a', entryOf(1), options),
        ]);
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
        await Recorder.settle(broker, 'a');
        expect(heard.data).toEqual([1]);
      });
    });

    describe('read', () => {
      it('gives the entries after a position, with prev, event, data, by and key', async () => {
        const key = '"a\u2028b"';
        const { offset: start, epoch } = await publish('a', 0);
        const { offset } = await broker.publish('a', { ...entryOf(1), by: 'ann', key }, { history: kept });
        const next = await publish('a', 2);
        const answer = await read('a', { since: { epoch, offset: start } });
        expect(answer).toMatchObject({ epoch, complete: true, head: next.offset });
        expect(answer.entries).toEqual([
          { offset, prev: start, event: 'message', data: '1', by: 'ann', key },
          { offset: next.offset, prev: offset, event: 'message', data: '2' },
        ]);
      });

      it('gives the same to every node', async () => {
        const [offset = 0] = await publishMany('a', 3);
        const { epoch } = await read('a');
        const query = { history: kept, since: { epoch, offset } };
        expect(await under.other.read('a', query)).toEqual(await broker.read('a', query));
      });

      it('gives nothing, completely, after the head', async () => {
        const since = await publish('a', 1);
        expect(await read('a', { since })).toMatchObject({ entries: [], complete: true, head: since.offset });
      });

      it('is complete after the position that an empty channel was opened at', async () => {
        await publish('between', 0);
        const { epoch, head: offset } = await read('a', { limit: 0 });
        await publishMany('a', 3);
        const answer = await read('a', { since: { epoch, offset } });
        expect(answer.complete).toBe(true);
        expect(answer.entries.map(({ data }) => data)).toEqual(['1', '2', '3']);
      });

      it('says so when something between is no longer kept', async () => {
        const offsets = await publishMany('a', 9);
        const { epoch } = await read('a', { limit: 0 });
        const after = (i: number) => read('a', { since: { epoch, offset: offsets[i] as number } });
        for (const i of [0, 1, 2]) {
          const answer = await after(i);
          expect(answer.complete).toBe(false);
          expect(answer.entries.map(({ data }) => Number(data))).toEqual([5, 6, 7, 8, 9]);
          expect(answer.entries[0]?.prev).toBeGreaterThan(offsets[i] as number);
        }
        expect((await after(3)).complete).toBe(true);
        expect((await after(4)).complete).toBe(true);
      });

      it('is not complete after a position of another epoch, or one that was never reached', async () => {
        const { epoch, offset } = await publish('a', 1);
        const other = await read('a', { since: { epoch: 'other', offset } });
        expect(other).toMatchObject({ epoch, complete: false });
        expect(other.entries.map((entry) => entry.offset)).toEqual([offset]);
        expect((await read('a', { since: { epoch, offset: offset + 9 } })).complete).toBe(false);
      });

      it('gives the newest, or those before an offset, up to a limit', async () => {
        const offsets = await publishMany('a', 5);
        const data = async (query: ReadQuery) => (await read('a', query)).entries.map((entry) => Number(entry.data));
        expect(await data({})).toEqual([1, 2, 3, 4, 5]);
        expect(await data({ limit: 2 })).toEqual([4, 5]);
        expect(await data({ limit: 2, before: offsets[3] as number })).toEqual([2, 3]);
        expect(await data({ before: offsets[0] as number })).toEqual([]);
        expect(await data({ limit: 0 })).toEqual([]);
      });

      it('gives the oldest after a position up to a limit', async () => {
        const offsets = await publishMany('a', 5);
        const { epoch } = await read('a', { limit: 0 });
        const answer = await read('a', { since: { epoch, offset: offsets[0] as number }, limit: 2 });
        expect(answer.entries.map(({ offset }) => offset)).toEqual(offsets.slice(1, 3));
        expect(answer).toMatchObject({ head: offsets[4], complete: true });
      });

      it('keeps no more entries than the history is long', async () => {
        await publishMany('a', 9);
        expect(await dataOf(broker, 'a')).toEqual([5, 6, 7, 8, 9]);
      });

      it('keeps no entry longer than the history says', async () => {
        const history = { size: 5, ttlMs: 300 };
        const { epoch, head } = await broker.read('a', { history, limit: 0 });
        await broker.publish('a', entryOf(1), { history });
        under.advance?.(500);
        const since = { epoch, offset: head };
        await condition('it is gone', async () => (await broker.read('a', { history })).entries.length === 0);
        expect(await broker.read('a', { history, since })).toMatchObject({ entries: [], complete: false });
      });

      it('drops entries one by one as they come of age', async () => {
        const history = { size: 100_000, ttlMs: 1_000 };
        const { epoch, head: offset } = await broker.read('a', { history, limit: 0 });
        const began = performance.now();
        let last = 0;
        do {
          last += 1;
          await broker.publish('a', entryOf(last), { history });
          under.advance?.(5);
        } while (last < 100 || (under.advance === undefined && performance.now() < began + 300));
        const readAll = () => broker.read('a', { history, since: { epoch, offset } });
        let answer = await readAll();
        await condition('the first is gone', async () => {
          under.advance?.(5);
          answer = await readAll();
          return answer.entries[0]?.data !== '1';
        });
        expect(answer.complete).toBe(false);
        expect(answer.entries.at(-1)?.data).toBe(String(last));
      });

      it('keeps what is younger than the history says when older ones are gone', async () => {
        const history = { size: 5, ttlMs: 400 };
        const first = await broker.publish('a', entryOf(1), { history });
        under.advance?.(500);
        await condition('it is gone', async () => (await broker.read('a', { history })).entries.length === 0);
        const second = await broker.publish('a', entryOf(2), { history });
        const answer = await broker.read('a', { history, since: first });
        expect(answer.entries.map(({ data }) => data)).toEqual(['2']);
        expect(answer).toMatchObject({ epoch: first.epoch, complete: true, head: second.offset });
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
      it('lets every listener hear what any node publishes, once, in order', async () => {
        const [one, two] = [new Recorder(), new Recorder()];
        await broker.subscribe('a', one);
        await broker.subscribe('a', two);
        const offsets: number[] = [];
        for (let i = 1; i <= 20; i += 1) {
          offsets.push((await under.other.publish('a', entryOf(i), { history: kept })).offset);
        }
        for (const heard of [one, two]) {
          await heard.messages.count(20);
          expect(heard.data).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
          expect(heard.entries.map(({ offset }) => offset)).toEqual(offsets);
          expect(heard.entries.slice(1).map(({ prev }) => prev)).toEqual(offsets.slice(0, -1));
        }
      });

      it('lets nobody hear of a message that the log does not have', async () => {
        const reads: Promise<boolean>[] = [];
        await broker.subscribe('a', {
          message: ({ offset }) => {
            const found = read('a').then(({ entries }) => entries.some((entry) => entry.offset === offset));
            reads.push(found);
          },
          volatile: () => {},
        });
        for (let i = 1; i <= 5; i += 1) await under.other.publish('a', entryOf(i), { history: kept });
        await Recorder.settle(broker, 'a');
        expect(await Promise.all(reads)).toEqual([true, true, true, true, true]);
      });

      it('brings what publish and read bring: epoch, by and key', async () => {
        const heard = new Recorder();
        await broker.subscribe('a', heard);
        const entry = { ...entryOf(1), by: 'ann', key: '"é\\n"' };
        const { epoch } = await broker.publish('a', entry, { history: kept });
        await Recorder.settle(broker, 'a');
        expect(heard.entries).toMatchObject([{ ...entry, epoch }]);
        expect((await read('a')).epoch).toBe(epoch);
      });

      it('names the epoch that an empty channel was opened with', async () => {
        const heard = new Recorder();
        await broker.subscribe('a', heard);
        const { epoch } = await read('a', { limit: 0 });
        await publish('a', 1);
        await Recorder.settle(broker, 'a');
        expect(heard.epochs).toEqual([epoch]);
      });

      it('lets nobody hear of other channels', async () => {
        const heard = new Recorder();
        await broker.subscribe('a', heard);
        await publish('b', 1);
        await Recorder.settle(broker, 'a');
        expect(heard.data).toEqual([]);
      });

      it('ends with unsubscribe, for that listener only', async () => {
        const [gone, stays] = [new Recorder(), new Recorder()];
        await broker.subscribe('a', gone);
        await broker.subscribe('a', stays);
        broker.unsubscribe('a', gone);
        await publish('a', 1);
        await Recorder.settle(broker, 'a');
        expect([gone.data, stays.data]).toEqual([[], [1]]);
      });

      it('begins anew after the last listener has left', async () => {
        const [gone, stays] = [new Recorder(), new Recorder()];
        await broker.subscribe('a', gone);
        broker.unsubscribe('a', gone);
        const subscribed = broker.subscribe('a', stays);
        broker.unsubscribe('a', gone);
        await subscribed;
        await publish('a', 1);
        await Recorder.settle(broker, 'a');
        expect([gone.data, stays.data]).toEqual([[], [1]]);
      });

      it('misses nothing between subscribing and reading', async () => {
        const heard = new Recorder();
        await publish('a', 1);
        const subscribed = broker.subscribe('a', heard);
        const published = publish('a', 2);
        await subscribed;
        const { entries } = await read('a');
        await published;
        await publish('a', 3);
        await Recorder.settle(broker, 'a');
        expect(new Set([...entries.map(({ data }) => Number(data)), ...heard.data])).toEqual(new Set([1, 2, 3]));
      });
    });

    describe('send', () => {
      it('reaches those who listen, and no log', async () => {
        const heard = new Recorder();
        await broker.subscribe('a', heard);
        const { head } = await read('a', { limit: 0 });
        under.other.send('a', { ...entryOf(1), by: 'ann' });
        await heard.volatiles.count(1);
        expect(heard.volatiles.items).toEqual([{ ...entryOf(1), by: 'ann' }]);
        expect(await read('a')).toMatchObject({ entries: [], head });
      });
    });

    describe('names', () => {
      it('are only names', async () => {
        const names = ['__proto__', 'a%2Fb', 'a.b.*.>', '}{', '{x}', 'a b\tc', 'ü', '\ud800', '\ufffd', '%00d800'];
        for (const [i, channel] of names.entries()) await publish(channel, i, 'to String\n.*>');
        for (const [i, channel] of names.entries()) expect(await dataOf(broker, channel)).toEqual([i]);
        const heard = new Recorder();
        await broker.subscribe('a.b.*.>', heard);
        await publish('a.b.c.d', 7);
        await publish('a.b.*.>', 8);
        await Recorder.settle(broker, 'a.b.*.>');
        expect(heard.data).toEqual([8]);
      });
    });

    describe('close', () => {
      it('makes every later call fail with broker_failed', async () => {
        await broker.close();
        await expect(publish('a', 1)).rejects.toMatchObject({ code: 'broker_failed' });
        await expect(read('a')).rejects.toMatchObject({ code: 'broker_failed' });
        await expect(broker.heads(['a'])).rejects.toMatchObject({ code: 'broker_failed' });
        await expect(broker.subscribe('a', new Recorder())).rejects.toMatchObject({ code: 'broker_failed' });
        await broker.close();
      });
    });
  });
}
