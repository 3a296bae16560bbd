import { RunnelError } from '@runnel/protocol';
import { describe, expect, test } from 'vitest';
import { Inbox } from '../src/inbox.ts';

/** An inbox with room for three, and what it has told. */
function inboxOf(overflow: () => RunnelError | null = () => null) {
  const told: string[] = [];
  const inbox = new Inbox<number>({
    bound: 3,
    overflow,
    onRead: () => told.push('read'),
    onEnd: () => told.push('end'),
  });
  return { inbox, told };
}

const DONE = { done: true, value: undefined };
const value = (n: number) => ({ done: false, value: n });

describe('an inbox', () => {
  test('gives what has come, and what comes to those who wait, in order', async () => {
    const { inbox, told } = inboxOf();
    inbox.push(1);
    inbox.push(2);
    expect(await inbox.next()).toEqual(value(1));
    expect(told).toEqual(['read']);
    const all = Promise.all([inbox.next(), inbox.next(), inbox.next()]);
    inbox.push(3);
    inbox.push(4);
    expect(await all).toEqual([value(2), value(3), value(4)]);
    expect(told).toEqual(['read', 'read', 'read', 'read']);
  });

  test('is read to its end after it has ended, and then is done', async () => {
    const { inbox, told } = inboxOf();
    inbox.push(1);
    inbox.end();
    inbox.end();
    inbox.push(2);
    const read: number[] = [];
    for await (const n of inbox) read.push(n);
    expect(read).toEqual([1]);
    expect(await inbox.next()).toEqual(DONE);
    expect(told).toEqual(['end', 'read']);
  });

  test('fails after what has come was read, once', async () => {
    const { inbox } = inboxOf();
    inbox.push(1);
    inbox.end(new RunnelError('forbidden', 'no'));
    expect(await inbox.next()).toEqual(value(1));
    await expect(inbox.next()).rejects.toMatchObject({ code: 'forbidden' });
    expect(await inbox.next()).toEqual(DONE);
  });

  test('tells the first who waits of its failure, and the others that it is done', async () => {
    const { inbox } = inboxOf();
    const waiting = Promise.allSettled([inbox.next(), inbox.next(), inbox.next()]);
    inbox.end(new RunnelError('forbidden', 'no'));
    expect(await waiting).toMatchObject([
      { status: 'rejected', reason: { code: 'forbidden' } },
      { value: DONE },
      { value: DONE },
    ]);
    expect(await inbox.next()).toEqual(DONE);
  });

  test('drops what was not read when nobody reads any more', async () => {
    const { inbox, told } = inboxOf();
    for (const n of [1, 2, 3]) inbox.push(n);
    for await (const n of inbox) if (n === 1) break;
    expect(await inbox.next()).toEqual(DONE);
    expect(told).toEqual(['read', 'end']);
    expect(await inbox.return()).toEqual(DONE);
    expect(told).toEqual(['read', 'end']);
  });

  test('that was left says nothing of the failure that ended it before', async () => {
    const { inbox } = inboxOf();
    inbox.end(new RunnelError('forbidden', 'no'));
    await inbox.return();
    expect(await inbox.next()).toEqual(DONE);
  });
});

describe('an inbox that is full', () => {
  test('drops what waits longest, and counts that', async () => {
    const { inbox } = inboxOf();
    for (const n of [1, 2, 3, 4, 5]) inbox.push(n);
    expect(inbox.dropped).toBe(2);
    expect([await inbox.next(), await inbox.next(), await inbox.next()]).toEqual([value(3), value(4), value(5)]);
  });

  test('or fails, with all that it holds still to be read', async () => {
    const { inbox, told } = inboxOf(() => new RunnelError('slow_consumer', 'read faster'));
    for (const n of [1, 2, 3, 4, 5]) inbox.push(n);
    expect(told).toEqual(['end']);
    expect(inbox.dropped).toBe(0);
    expect([await inbox.next(), await inbox.next(), await inbox.next()]).toEqual([value(1), value(2), value(3)]);
    await expect(inbox.next()).rejects.toMatchObject({ code: 'slow_consumer' });
  });
});
