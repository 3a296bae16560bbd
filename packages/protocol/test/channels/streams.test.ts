import { beforeEach, describe, expect, test } from 'vitest';
import { FakeSession, type Outcome } from './fake-session.ts';

const LIMIT_MS = 1_000;
const NEVER = Number.POSITIVE_INFINITY;

let session: FakeSession;

beforeEach(() => {
  session = new FakeSession();
  session.attach();
});

/** A request whose answer is streamed, sent with id 1. */
function opened(credit: number): Outcome {
  const stream = session.stream('?', credit, { timeoutMs: LIMIT_MS });
  session.pass();
  expect(session.takeSent()).toEqual([[18, 1, 'room', 'ask', '?', LIMIT_MS, { credit }]]);
  return stream;
}

/** The server sends so many parts of it, numbered from `from`. */
function parts(count: number, from = 0): void {
  for (let part = from; part < from + count; part += 1) session.receive([27, 1, part]);
}

const told = (count: number): unknown[] => Array.from({ length: count }, (_, part) => ({ part }));

describe('a streamed answer', () => {
  test('comes part by part, and ends with its result', () => {
    const stream = opened(8);
    parts(3);
    expect(stream.results).toEqual(told(3));
    session.receive([19, 1, 'usage'], [27, 1, 'late'], [19, 1, 'again']);
    expect(stream.results).toEqual([...told(3), { data: 'usage' }]);
  });

  test('is settled by its error after the parts that came before', () => {
    const stream = opened(8);
    parts(2);
    session.receive([20, 1, 'app:empty', 'nothing left', false]);
    expect(stream.results).toEqual([...told(2), 'empty']);
  });

  test('goes on when more is allowed, once a turn, in one frame', () => {
    const stream = opened(4);
    parts(4);
    stream.allow(2);
    stream.allow(1);
    expect(session.takeSent()).toEqual([]);
    session.pass();
    expect(session.takeSent()).toEqual([[27, 1, 3]]);
    session.pass();
    expect(session.takeSent()).toEqual([]);
    parts(3, 4);
    expect(stream.results).toEqual(told(7));
  });

  test('keeps what a full outbox does not take of the allowance', () => {
    const stream = opened(1);
    parts(1);
    session.full = true;
    stream.allow(1);
    session.pass();
    stream.allow(4);
    session.full = false;
    session.pass();
    expect(session.takeSent()).toEqual([[27, 1, 5]]);
  });

  test('is asked for with all that was allowed by the time it goes up', () => {
    session.ready = false;
    const stream = session.stream('?', 4);
    stream.allow(3);
    session.pass();
    session.ready = true;
    session.pass();
    expect(session.takeSent()).toEqual([[18, 1, 'room', 'ask', '?', 15_000, { credit: 7 }]]);
  });

  test('is not to be had of a request that did not ask for it', () => {
    const ask = session.request('?');
    session.pass();
    session.receive([27, 1, 'part'], [19, 1, 'whole']);
    expect(ask.results).toEqual([{ data: 'whole' }]);
  });

  test('needs no more once it has ended', () => {
    const stream = opened(2);
    parts(1);
    stream.allow(1);
    session.receive([19, 1]);
    stream.allow(1);
    session.pass();
    expect(session.takeSent()).toEqual([]);
    expect(session.channels.nextTimeout()).toBe(NEVER);
    expect(stream.results).toEqual([...told(1), { data: null }]);
  });
});

describe('the time limit of a streamed answer', () => {
  test('is that of each part', () => {
    const stream = opened(8);
    for (let part = 0; part < 5; part += 1) {
      session.pass(LIMIT_MS - 1);
      parts(1, part);
    }
    session.pass(LIMIT_MS);
    expect(stream.results).toEqual([...told(5), 'timeout']);
    expect(session.takeSent()).toEqual([[21, 1]]);
  });

  test('stands still while the application allows no more', () => {
    const stream = opened(2);
    session.pass(900);
    parts(2);
    session.pass(100);
    expect(session.channels.nextTimeout()).toBe(NEVER);
    session.pass(100 * LIMIT_MS);
    expect(stream.results).toEqual(told(2));
    stream.allow(1);
    expect(session.channels.nextTimeout()).toBe(session.now + LIMIT_MS);
    session.pass(LIMIT_MS);
    expect(stream.results).toEqual([...told(2), 'timeout']);
  });

  test('is not put off by allowing more of what does not come', () => {
    const stream = opened(4);
    parts(2);
    session.pass(600);
    stream.allow(2);
    session.pass(400);
    expect(stream.results).toEqual([...told(2), 'timeout']);
  });
});

describe('a streamed answer that is canceled', () => {
  test('is settled at once, the server told, and what is on its way ignored', () => {
    const stream = opened(8);
    parts(2);
    stream.allow(1);
    stream.cancel();
    session.pass();
    expect(session.takeSent()).toEqual([[21, 1]]);
    parts(3, 2);
    stream.allow(1);
    session.receive([20, 1, 'canceled', '', false]);
    expect(stream.results).toEqual([...told(2), 'canceled']);
    expect(session.takeSent()).toEqual([]);
  });

  test('by what hears of a part gets no other', () => {
    const results: unknown[] = [];
    const call = session.channels.call(
      {
        channel: 'room',
        name: 'ask',
        data: '1',
        timeoutMs: LIMIT_MS,
        stream: {
          credit: 8,
          onPart: (part) => {
            results.push(part);
            session.channels.cancel(call);
          },
        },
        settle: (error) => results.push(error?.code),
      },
      session.now,
    );
    session.pass();
    parts(3);
    expect(results).toEqual([0, 'canceled']);
  });
});

describe('a streamed answer whose session is lost', () => {
  test('before its first part is asked for again, with all that was allowed', () => {
    const stream = opened(4);
    stream.allow(2);
    session.pass();
    session.takeSent();
    stream.allow(1);
    session.lose();
    session.attach();
    const again = { credit: 7, again: true };
    expect(session.takeSent()).toEqual([[18, 2, 'room', 'ask', '?', LIMIT_MS, again]]);
    session.receive([27, 1, 'of the old one'], [27, 2, 0], [19, 2]);
    expect(stream.results).toEqual([...told(1), { data: null }]);
  });

  test('after a part cannot be said to be done or not', () => {
    const stream = opened(4);
    const ask = session.request('other');
    session.pass();
    session.takeSent();
    parts(1);
    session.lose();
    expect(stream.results).toEqual([...told(1), 'indeterminate']);
    session.attach();
    expect(session.takeSent().map(([, , , , data]) => data)).toEqual(['other']);
    expect(ask.results).toEqual([]);
  });

  test('and that is given up for another is not asked for again', () => {
    const begun = opened(4);
    const other = session.stream('other', 4);
    session.pass();
    parts(1);
    session.takeSent();
    begun.onSettled = () => other.cancel();
    session.lose();
    session.attach();
    expect(session.takeSent()).toEqual([]);
    expect([begun.results, other.results]).toEqual([[...told(1), 'indeterminate'], ['canceled']]);
  });

  test('because the client is closed is not known to be done, sent or begun; nothing else was', () => {
    const begun = opened(4);
    parts(1);
    const sent = session.stream('sent', 4);
    session.pass();
    session.full = true;
    const queued = session.stream('queued', 4);
    session.pass();
    session.close();
    const results = [[...told(1), 'indeterminate'], ['indeterminate'], ['disconnected']];
    expect([begun, sent, queued].map((stream) => stream.results)).toEqual(results);
    begun.allow(1);
    session.pass();
    expect(session.channels.nextTimeout()).toBeGreaterThanOrEqual(session.now);
  });
});
