import { beforeEach, describe, expect, test } from 'vitest';
import { ClientChannels } from '../../src/channels/client-channels.ts';
import type { RunnelError } from '../../src/errors.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { ClientSession } from '../../src/session/client/client-session.ts';
import { FakeSession } from './fake-session.ts';

const WELCOME = JSON.stringify([
  0,
  {
    cid: 'c',
    key: 'k',
    sid: 's',
    node: '',
    gen: 1,
    resumed: false,
    rx: 0,
    base: 0,
    client: 'me',
    heartbeatMs: 10_000,
    limits: DEFAULT_LIMITS,
    transports: ['poll'],
  },
]);

let session: FakeSession;

beforeEach(() => {
  session = new FakeSession();
});

/** Ids of the calls that went up, with what they carry. */
function sent(): [id: number, data: unknown][] {
  return session.takeSent().map(([, id, , , data]) => [Number(id), data]);
}

describe('a publish', () => {
  test('goes up under its key and is settled by its result, once', () => {
    session.attach();
    const hi = session.publish({ text: 'hi' });
    session.pass();
    expect(session.takeSent()).toEqual([[22, 1, 'room', 'said', { text: 'hi' }, 'key-{"text":"hi"}']]);
    session.receive([19, 1], [19, 1, 'again'], [20, 1, 'forbidden', 'no', false]);
    expect(hi.results).toEqual([{ data: null }]);
  });

  test('is settled by its error, with what the server says of it', () => {
    session.attach();
    const errors: unknown[] = [];
    const settle = (error: unknown) => errors.push(error);
    const options = { channel: 'room', name: 'said', data: '1', timeoutMs: 1_000, idemKey: 'k', settle };
    session.channels.call(options, session.now);
    session.pass();
    session.receive([20, 1, 'app:locked', 'not now', true, { by: 'Ann' }]);
    expect(errors).toEqual([expect.objectContaining({ code: 'locked', retryable: true, data: { by: 'Ann' } })]);
  });

  test('waits for a session, in order with all that was called', () => {
    const calls = [session.publish(1), session.request(2), session.publish(3)];
    session.pass(1_000);
    session.attach();
    expect(sent()).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    session.receive([19, 3], [19, 2, 'two'], [19, 1]);
    expect(calls.map(({ results }) => results)).toEqual([[{ data: null }], [{ data: 'two' }], [{ data: null }]]);
  });

  test('of one turn goes up together with the others', () => {
    session.attach();
    const { flushes } = session;
    for (let i = 0; i < 50; i++) session.publish(i);
    session.pass();
    expect(session.flushes).toBe(flushes + 1);
    expect(sent()).toHaveLength(50);
  });

  test('that is larger than a line goes up in fragments', () => {
    session.limits = { ...session.limits, messageBytes: 200_000, outboxBytes: 1_000_000 };
    session.attach();
    const text = 'ü"'.repeat(40_000);
    session.publish(text);
    session.pass();
    expect(sent()).toEqual([[1, text]]);
  });

  test('beyond the message limit is refused: at once where the limit is known, else before it is sent', () => {
    const early = session.publish('x'.repeat(999));
    session.attach();
    expect(early.results).toEqual(['payload_too_large']);
    expect(session.publish('x'.repeat(999)).results).toEqual(['payload_too_large']);
    expect(session.publish('é'.repeat(500)).results).toEqual(['payload_too_large']);
    const fits = session.publish('x'.repeat(998));
    session.pass();
    expect(sent()).toHaveLength(1);
    expect(fits.results).toEqual([]);
  });
});

describe('a request', () => {
  test('tells the server how long it may take, counted from the call', () => {
    const ask = session.request('?', { timeoutMs: 5_000 });
    session.pass(2_000);
    session.attach();
    expect(session.takeSent()).toEqual([[18, 1, 'room', 'ask', '?', 3_000]]);
    session.receive([19, 1, [1, 2]]);
    expect(ask.results).toEqual([{ data: [1, 2] }]);
  });

  test('that is canceled is settled at once, and the server told', () => {
    session.attach();
    const ask = session.request('?');
    session.pass();
    session.takeSent();
    ask.cancel();
    ask.cancel();
    session.pass();
    expect(session.takeSent()).toEqual([[21, 1]]);
    session.receive([19, 1, 'late']);
    expect(ask.results).toEqual(['canceled']);
  });

  test('that is canceled before it is sent never is', () => {
    const ask = session.request('?');
    ask.cancel();
    session.attach();
    expect(session.takeSent()).toEqual([]);
    expect(ask.results).toEqual(['canceled']);
  });
});

describe('a call that takes too long', () => {
  test('is settled at its time, sent or not; the server stops a request', () => {
    session.attach();
    const calls = [session.publish(1, { timeoutMs: 100 }), session.request(2, { timeoutMs: 200 })];
    session.pass();
    session.takeSent();
    session.full = true;
    calls.push(session.request(3, { timeoutMs: 300 }));
    expect(session.channels.nextTimeout()).toBe(session.now + 100);
    session.pass(100);
    expect(calls.map(({ results }) => results.length)).toEqual([1, 0, 0]);
    session.pass(200);
    session.full = false;
    session.pass();
    expect(session.takeSent()).toEqual([[21, 2]]);
    expect(calls.map(({ results }) => results)).toEqual([['timeout'], ['timeout'], ['timeout']]);
  });

  test('leaves nothing behind to wake up for', () => {
    session.attach();
    session.publish(1, { timeoutMs: 100 });
    session.pass();
    session.receive([19, 1]);
    session.pass(100);
    expect(session.channels.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a lost session', () => {
  test('sends what was not answered again, first, in order: publishes under their keys, requests saying so', () => {
    session.attach();
    const lost = [session.publish(1), session.request(2), session.publish(3)];
    session.pass();
    session.receive([19, 1]);
    session.takeSent();
    session.lose();
    const queued = [session.request(4), session.publish(5)];
    session.pass(1_000);
    session.attach();
    expect(session.takeSent()).toEqual([
      [18, 4, 'room', 'ask', 2, 14_000, { again: true }],
      [22, 5, 'room', 'said', 3, 'key-3'],
      [18, 6, 'room', 'ask', 4, 14_000],
      [22, 7, 'room', 'said', 5, 'key-5'],
    ]);
    session.receive([19, 2, 'late'], [20, 4, 'indeterminate', '', true], [19, 5], [19, 6], [19, 7]);
    expect(lost.map(({ results }) => results)).toEqual([[{ data: null }], ['indeterminate'], [{ data: null }]]);
    expect(queued.map(({ results }) => results)).toEqual([[{ data: null }], [{ data: null }]]);
  });

  test('sends a request again as often as it is lost, for as long as it may take', () => {
    session.attach();
    const ask = session.request(1, { timeoutMs: 300 });
    for (const rest of [[300], [200, { again: true }], [100, { again: true }]]) {
      session.pass();
      expect(session.takeSent().map((frame) => frame.slice(5))).toEqual([rest]);
      session.lose();
      session.pass(100);
      session.attach();
    }
    expect(session.takeSent()).toEqual([]);
    expect(ask.results).toEqual(['timeout']);
  });

  test('does not say again of what was called while nothing carried it', () => {
    session.attach();
    session.ready = false;
    const calls = [session.request(1), session.publish(2)];
    session.pass();
    session.lose();
    session.attach();
    expect(session.takeSent()).toEqual([
      [18, 1, 'room', 'ask', 1, 15_000],
      [22, 2, 'room', 'said', 2, 'key-2'],
    ]);
    expect(calls.map(({ results }) => results)).toEqual([[], []]);
  });

  test('sends publishes again before what waits already', () => {
    session.attach();
    session.publish('sent');
    session.pass();
    session.full = true;
    session.publish('waits');
    session.pass();
    session.takeSent();
    session.lose();
    session.full = false;
    session.attach();
    expect(sent().map(([, data]) => data)).toEqual(['sent', 'waits']);
  });

  test('keeps what was never sent', () => {
    session.attach();
    session.full = true;
    const ask = session.request(1);
    session.pass();
    session.lose();
    session.full = false;
    session.attach();
    expect(session.takeSent()).toEqual([[18, expect.any(Number), 'room', 'ask', 1, 15_000]]);
    expect(ask.results).toEqual([]);
  });

  test('leaves publishes indeterminate whose key the server may have forgotten', () => {
    session.attach();
    const old = session.publish('old', { timeoutMs: 500_000 });
    session.pass();
    session.pass(30_000);
    const young = session.publish('young', { timeoutMs: 500_000 });
    session.pass();
    session.takeSent();
    session.lose();
    session.pass(30_001);
    session.attach();
    expect(old.results).toEqual(['indeterminate']);
    expect(sent().map(([, data]) => data)).toEqual(['young']);
    expect(young.results).toEqual([]);
  });

  test('counts the age of a publish from the first time it was sent', () => {
    session.attach();
    const publish = session.publish(1, { timeoutMs: 500_000 });
    session.pass();
    session.pass(40_000);
    session.lose();
    session.attach();
    session.pass(40_000);
    session.lose();
    session.attach();
    expect(publish.results).toEqual(['indeterminate']);
  });

  test('lets a publish time out while it waits for the next', () => {
    session.attach();
    const publish = session.publish(1);
    session.pass();
    session.lose();
    session.pass(15_000);
    session.takeSent();
    session.attach();
    expect(sent()).toEqual([]);
    expect(publish.results).toEqual(['timeout']);
  });

  test('cancels nothing in the next', () => {
    session.attach();
    const ask = session.request(1);
    session.pass();
    session.takeSent();
    session.full = true;
    ask.cancel();
    session.lose();
    session.full = false;
    session.attach();
    expect(session.takeSent()).toEqual([]);
  });
});

test('needs no timer when every call is settled, and none that is made when it is too late', () => {
  session.attach();
  const ask = session.request(1);
  session.pass();
  session.receive([19, 1]);
  session.pass();
  expect([ask.results, session.channels.nextTimeout()]).toEqual([[{ data: null }], Number.POSITIVE_INFINITY]);
  session.request(2);
  session.close();
  session.publish(3);
  session.pass();
  expect(session.channels.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
});

describe('the queue', () => {
  test('takes 1,000 calls', () => {
    const calls = Array.from({ length: 1_001 }, (_, i) => session.publish(i));
    expect(calls.filter(({ results }) => results.length > 0)).toEqual([calls[1_000]]);
    expect(calls[1_000]?.results).toEqual(['queue_full']);
  });

  test('takes 1 MiB of payloads', () => {
    const part = 'x'.repeat(300_000);
    const calls = [1, 2, 3, 4].map((i) => session.publish(part + i));
    expect(calls.map(({ results }) => results)).toEqual([[], [], [], ['queue_full']]);
  });

  test('has room again when it was sent', () => {
    const part = 'x'.repeat(900);
    for (let i = 0; i < 1_000; i++) session.publish(part);
    session.attach();
    for (const [id] of sent()) session.receive([19, id]);
    session.full = true;
    const calls = Array.from({ length: 1_000 }, () => session.publish(part));
    expect(calls.every(({ results }) => results.length === 0)).toBe(true);
  });

  test('leaves no more than 1,000 calls unanswered, and goes on as they are answered', () => {
    session.attach();
    const calls = Array.from({ length: 500 }, (_, i) => session.publish(i));
    session.pass();
    for (let i = 500; i < 1_200; i++) calls.push(session.publish(i));
    session.pass();
    const up = sent();
    expect(up).toHaveLength(1_000);
    session.receive(...up.map(([id]) => [19, id] as const));
    expect(sent()).toHaveLength(200);
    expect(calls.every(({ results }, i) => results.length === (i < 1_000 ? 1 : 0))).toBe(true);
  });

  test('keeps what a full outbox does not take, in order', () => {
    session.attach();
    session.full = true;
    session.publish(1);
    session.pass();
    session.publish(2);
    session.pass();
    expect(session.channels.nextTimeout()).toBe(session.now + 250);
    session.full = false;
    session.pass(250);
    expect(sent().map(([, data]) => data)).toEqual([1, 2]);
  });
});

describe('a closed client', () => {
  test('settles what waits, and refuses more', () => {
    session.attach();
    const calls = [session.publish(1), session.request(2)];
    session.pass();
    calls.push(session.publish(3));
    session.close();
    calls.push(session.publish(4), session.publish('x'.repeat(9_999)));
    const codes = ['indeterminate', 'indeterminate', 'disconnected', 'disconnected', 'disconnected'];
    expect(calls.map(({ results }) => results)).toEqual(codes.map((code) => [code]));
  });

  test('settles once what another is given up for', () => {
    const calls = [session.publish(1), session.publish(2)];
    const [first, second] = calls as [(typeof calls)[0], (typeof calls)[0]];
    first.onSettled = () => second.cancel();
    session.close();
    expect(calls.map(({ results }) => results)).toEqual([['disconnected'], ['canceled']]);
  });

  test('takes calls again when it has another session', () => {
    session.attach();
    session.close();
    session.channels.bind(session);
    const publish = session.publish(1);
    session.attach();
    expect(sent()).toHaveLength(1);
    expect(publish.results).toEqual([]);
  });
});

describe('a call that a handler gives up', () => {
  test('when it hears that there is a session is settled once, and the server told', () => {
    const codes: unknown[] = [];
    const channels: ClientChannels = new ClientChannels({
      random: () => 0.5,
      onState: ({ status }) => status === 'open' && channels.cancel(call),
      onAttempt: () => {},
      onRefresh: () => {},
    });
    const client = new ClientSession({
      app: channels,
      transports: ['poll'],
      newId: () => 'c',
      random: () => 0.5,
      hasCredentials: false,
    });
    channels.bind(client);
    const settle = (error: RunnelError | null) => codes.push(error?.code);
    const call = channels.call({ channel: 'room', name: 'ask', data: '1', timeoutMs: 1_000, settle }, 0);
    client.start(0);
    const [attach] = client.takeEffects();
    channels.steer(10);
    client.handleLine((attach as { carrier: number }).carrier, WELCOME, 10);
    channels.steer(10);
    expect(client.ledger.slice(0).map(({ text }) => text)).toEqual(['[18,1,"room","ask",1,990]', '[21,1]']);
    expect(codes).toEqual(['canceled']);
  });

  test('because another was refused never goes up', () => {
    const large = session.publish('x'.repeat(999));
    const ask = session.request(1);
    large.onSettled = () => ask.cancel();
    session.attach();
    expect(session.takeSent()).toEqual([]);
    expect([large.results, ask.results]).toEqual([['payload_too_large'], ['canceled']]);
  });
});

describe('what may be lost', () => {
  test('goes up at the end of the turn, or not at all', () => {
    session.channels.sendVolatile('room', 'typing', '1');
    session.pass();
    session.attach();
    session.channels.sendVolatile('room', 'typing', '2');
    expect(session.takeLoose()).toEqual([]);
    session.pass();
    expect(session.takeLoose()).toEqual([[9, 'room', 'typing', 2]]);
    session.pass();
    expect(session.takeLoose()).toEqual([]);
  });

  test('waits while the session says so, the latest of it', () => {
    session.holdsLoose = true;
    for (let i = 0; i < 100; i++) session.channels.sendVolatile('room', 'typing', `"${i}${'x'.repeat(1_000)}"`);
    session.attach();
    expect(session.takeLoose()).toEqual([]);
    session.holdsLoose = false;
    session.pass();
    const loose = session.takeLoose();
    expect(loose.length).toBeGreaterThan(50);
    expect(JSON.stringify(loose).length).toBeLessThan(65_536);
    expect(String(loose.at(-1)?.[3]).startsWith('99x')).toBe(true);
  });

  test('fits into one line', () => {
    expect(() => session.channels.sendVolatile('room', 'typing', `"${'é'.repeat(33_000)}"`)).toThrow(
      expect.objectContaining({ code: 'payload_too_large' }),
    );
  });

  test('is bounded in each turn, the latest kept', () => {
    session.attach();
    for (let i = 0; i < 100; i++) session.channels.sendVolatile('room', 'typing', `"${i}${'x'.repeat(1_000)}"`);
    session.pass();
    const loose = session.takeLoose();
    expect(JSON.stringify(loose).length).toBeLessThan(65_536);
    expect(String(loose.at(-1)?.[3]).startsWith('99x')).toBe(true);
  });
});
