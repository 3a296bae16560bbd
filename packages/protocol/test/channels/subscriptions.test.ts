import { beforeEach, describe, expect, test } from 'vitest';
import { FakeSession, Recorder } from './fake-session.ts';

let session: FakeSession;
let room: Recorder;

beforeEach(() => {
  session = new FakeSession();
  room = new Recorder();
});

function subscribedRoom(): number {
  session.channels.subscribe('room', {}, room);
  const [sub] = session.attach();
  const id = sub?.[0] ?? 0;
  session.subscribed(id);
  return id;
}

describe('subscribing', () => {
  test('rides in the attach that makes a session', () => {
    session.channels.subscribe('room', { rewind: 5 }, room);
    session.channels.subscribe('user', { since: { epoch: 'x', offset: 7 } }, new Recorder());
    expect(session.attach()).toEqual([
      [1, 'room', { rewind: 5 }],
      [2, 'user', { since: { epoch: 'x', offset: 7 } }],
    ]);
    expect(session.takeSent()).toEqual([]);
    session.subscribed(1, { recovered: null });
    expect(room.states).toEqual([{ status: 'subscribing' }, { status: 'subscribed', recovered: null }]);
  });

  test('goes up as a frame while there is a session', () => {
    session.attach();
    session.channels.subscribe('room', { rewind: 5 }, room);
    expect(session.takeSent()).toEqual([]);
    session.pass();
    const [[type, id, ...rest] = [0, 0]] = session.takeSent();
    expect([type, ...rest]).toEqual([28, 'room', { rewind: 5 }]);
    session.subscribed(Number(id));
    session.receive([16, 1, 1, 0, 'hi']);
    expect(room.data).toEqual(['hi']);
  });

  test('goes up after the welcome where it was wanted after the attach was sent', () => {
    session.channels.subscribe('room', {}, room);
    const subs = session.channels.subs();
    session.channels.unsubscribe('room');
    session.channels.subscribe('user', {}, room);
    session.attach(subs);
    expect(session.takeSent().map(([type, ...rest]) => [type, ...rest.slice(type === 28 ? 1 : 0)])).toEqual([
      [29, 'room'],
      [28, 'user', {}],
    ]);
  });

  test('begins anew where a channel was given up and wanted again', () => {
    session.channels.subscribe('room', { rewind: 1 }, room);
    const subs = session.channels.subs();
    session.channels.unsubscribe('room');
    session.channels.subscribe('room', { rewind: 2 }, room);
    session.attach(subs);
    const [leave, [, id, ...rest] = [0, 0]] = session.takeSent();
    expect([leave, ...rest]).toEqual([[29, 'room'], 'room', { rewind: 2 }]);
    session.subscribed(1);
    expect(room.statuses.at(-1)).toBe('subscribing');
    session.subscribed(Number(id));
    expect(room.statuses.at(-1)).toBe('subscribed');
  });

  test('goes up after the welcome where the attach had no room for it', () => {
    for (const name of ['a', 'b', 'c']) session.channels.subscribe(name, {}, new Recorder());
    session.attach(session.channels.subs().slice(0, 1));
    expect(session.takeSent().map(([type, , name]) => [type, name])).toEqual([
      [28, 'b'],
      [28, 'c'],
    ]);
  });

  test('waits while the outbox is full', () => {
    session.attach();
    session.full = true;
    session.channels.subscribe('room', {}, room);
    session.pass();
    expect(session.channels.nextTimeout()).toBe(session.now + 250);
    session.full = false;
    session.pass(250);
    expect(session.takeSent()).toHaveLength(1);
    expect(session.channels.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test('has ids that rise', () => {
    session.attach();
    for (const name of ['a', 'b', 'c']) session.channels.subscribe(name, {}, room);
    session.request(1);
    session.pass();
    const ids = session.takeSent().map(([, id]) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(4);
  });
});

describe('a refused subscription', () => {
  test('has failed for good where trying again is of no use', () => {
    session.channels.subscribe('room', {}, room);
    session.attach();
    session.receive([20, 1, 'forbidden', 'no', false]);
    expect(room.states.at(-1)).toEqual({ status: 'failed', code: 'forbidden', message: 'no', retryAt: null });
    session.lose();
    expect(session.attach()).toEqual([]);
    expect(session.takeSent()).toEqual([]);
    expect(room.states).toHaveLength(2);
  });

  test('is tried again, later each time, where that may help', () => {
    session.channels.subscribe('room', {}, room);
    session.attach();
    session.receive([20, 1, 'handler_failed', 'oops', true]);
    const retryAt = session.now + 125;
    expect(room.states.at(-1)).toEqual({ status: 'failed', code: 'handler_failed', message: 'oops', retryAt });
    expect(session.channels.nextTimeout()).toBe(retryAt);
    session.pass(124);
    expect(session.takeSent()).toEqual([]);
    session.pass(1);
    const [[, id] = [0, 0]] = session.takeSent();
    expect(room.statuses.at(-1)).toBe('subscribing');
    session.receive([20, Number(id), 'handler_failed', 'oops', true]);
    expect(session.channels.nextTimeout()).toBe(session.now + 250);
  });

  test('may be told that it is tried again, and give up others that wait with it', () => {
    const other = new Recorder();
    session.channels.subscribe('room', {}, room);
    session.channels.subscribe('user', {}, other);
    session.attach();
    session.receive([20, 1, 'handler_failed', '', true], [20, 2, 'handler_failed', '', true]);
    const publish = session.publish('hi');
    session.full = true;
    session.pass(124);
    room.onState = () => {
      session.channels.unsubscribe('user');
      publish.cancel();
    };
    session.full = false;
    session.pass(1);
    expect(session.takeSent()).toEqual([[28, 4, 'room', {}]]);
    session.subscribed(4);
    session.receive([16, 1, 1, 0, 'a']);
    expect([room.data, other.data, publish.results]).toEqual([['a'], [], ['canceled']]);
  });

  test('is asked for by the next attach, whenever that comes', () => {
    session.channels.subscribe('room', {}, room);
    session.attach();
    session.receive([20, 1, 'handler_failed', 'oops', true]);
    session.lose();
    expect(room.statuses.at(-1)).toBe('subscribing');
    expect(session.attach()).toHaveLength(1);
    expect(session.takeSent()).toEqual([]);
  });
});

describe('messages', () => {
  test('come with their event, place and author', () => {
    subscribedRoom();
    session.receive([16, 1, 1, 0, { text: 'hi' }, { by: 'client-9' }], [16, 1, 2, 1, null]);
    expect(room.messages).toEqual([
      {
        event: 'said',
        data: { text: 'hi' },
        meta: { id: 'e-1', offset: 1, by: 'client-9', self: false, recovered: false },
      },
      { event: 'seen', data: null, meta: { id: 'e-2', offset: 2, by: null, self: false, recovered: false } },
    ]);
    expect(session.channels.position('room')).toEqual({ epoch: 'e', offset: 2 });
  });

  test('are our own where this client published them, in an earlier session too', () => {
    subscribedRoom();
    session.lose();
    const [sub] = session.attach();
    session.subscribed(sub?.[0] ?? 0, { recovered: true });
    session.receive([16, 1, 1, 0, 'old', { by: 'client-1' }], [16, 1, 2, 0, 'new', { by: 'client-2' }]);
    session.receive([9, 1, 0, 'loose', { by: 'client-3' }]);
    expect(room.messages.map(({ meta }) => meta.self)).toEqual([true, true, false]);
  });

  test('are dropped where they were had already', () => {
    subscribedRoom();
    session.receive([16, 1, 1, 0, 'a'], [16, 1, 1, 0, 'a'], [16, 1, 2, 0, 'b'], [16, 1, 1, 0, 'a']);
    expect(room.data).toEqual(['a', 'b']);
  });

  test('may have sparse offsets, as long as each names the one before', () => {
    subscribedRoom();
    session.receive([16, 1, [5, 0], 0, 'a'], [16, 1, [9, 5], 0, 'b']);
    expect(room.data).toEqual(['a', 'b']);
  });

  test('of unknown channels and events are ignored', () => {
    subscribedRoom();
    session.receive(
      [16, 2, 1, 0, 'x'],
      [9, 2, 0, 'x'],
      [23, 2, 1, 2],
      [24, 2, {}],
      [26, 2, 'kicked', ''],
      [17, 99, answer],
    );
    session.receive([19, 99, 'x'], [20, 99, 'x', 'x', false], [16, 1, 1, 7, 'unknown event'], [16, 1, 2, 0, 'known']);
    expect(room.data).toEqual(['known']);
  });

  test('stop at once when nobody wants them any more', () => {
    subscribedRoom();
    session.channels.unsubscribe('room');
    session.receive([16, 1, 1, 0, 'late']);
    expect(session.takeSent()).toEqual([[29, 'room']]);
    expect(room.messages).toEqual([]);
  });

  test('that may be lost have no place in the log', () => {
    subscribedRoom();
    session.receive([9, 1, 1, 'typing', { by: 'x' }]);
    expect(room.messages).toEqual([
      { event: 'seen', data: 'typing', meta: { id: null, offset: null, by: 'x', self: false, recovered: false } },
    ]);
    expect(session.channels.position('room')).toEqual({ epoch: 'e', offset: 0 });
  });
});

describe('a session that has moved to another node', () => {
  test('goes on in each channel, also where one has the number by then that another had', () => {
    const user = new Recorder();
    session.channels.subscribe('room', {}, room);
    session.channels.subscribe('user', {}, user);
    const [first, second] = session.attach().map(([id]) => id);
    session.subscribed(Number(first), { n: 1 });
    session.subscribed(Number(second), { n: 2 });
    session.subscribed(Number(first), { n: 2, recovered: true });
    session.subscribed(Number(second), { n: 1, recovered: true });
    session.receive([16, 2, 1, 0, 'to the room'], [16, 1, 1, 0, 'to the user']);
    expect(room.data).toEqual(['to the room']);
    expect(user.data).toEqual(['to the user']);
  });

  test('hears nothing of a channel that it has just left under the number that another had', () => {
    session.channels.subscribe('left', {}, new Recorder());
    session.channels.subscribe('room', {}, room);
    const [first, second] = session.attach().map(([id]) => id);
    session.subscribed(Number(first), { n: 1 });
    session.subscribed(Number(second), { n: 2 });
    session.channels.unsubscribe('left');
    session.subscribed(Number(first), { n: 2, recovered: true });
    session.receive([16, 2, 1, 0, 'to those who left']);
    session.subscribed(Number(second), { n: 1, recovered: true });
    session.receive([16, 1, 1, 0, 'to the room']);
    expect(room.data).toEqual(['to the room']);
  });

  test('is told of what it has missed where its node had missed it, whatever the next one says', () => {
    session.channels.subscribe('room', {}, room);
    const [[id] = [0]] = session.attach();
    session.subscribed(id, { offset: 1 });
    session.subscribed(id, { offset: 3, recovered: true });
    expect(room.gaps).toEqual([{ reason: 'positionLost' }]);
    expect(room.states.at(-1)).toEqual({ status: 'subscribed', recovered: false });
    expect(session.channels.position('room')).toEqual({ epoch: 'e', offset: 3 });
  });
});

describe('a snapshot', () => {
  test('comes after the messages before it, with the position that it reaches to', () => {
    subscribedRoom();
    session.receive([25, 2, 'of another channel'], [16, 1, 1, 0, 'a'], [25, 1, { rows: [1] }], [16, 1, 2, 0, 'b']);
    expect(room.snapshots).toEqual([{ data: { rows: [1] }, position: { epoch: 'e', offset: 1 } }]);
    expect(room.data).toEqual(['a', 'b']);
  });

  test('that was announced and has not come is asked for again, as by somebody new', () => {
    session.channels.subscribe('room', { rewind: 2 }, room);
    const [sub] = session.attach();
    session.subscribed(sub?.[0] ?? 0, { offset: 7, head: 7, snapshot: true });
    expect(session.channels.subs().map(([, name, from]) => [name, from])).toEqual([['room', { rewind: 2 }]]);
    session.receive([25, 1, 'the state']);
    expect(session.channels.subs().map(([, name, from]) => [name, from])).toEqual([
      ['room', { since: { epoch: 'e', offset: 7 } }],
    ]);
  });

  test('is not heard of any more when nobody wants the channel', () => {
    subscribedRoom();
    session.channels.unsubscribe('room');
    session.receive([25, 1, 'late']);
    expect(room.snapshots).toEqual([]);
  });
});

describe('a gap', () => {
  test('makes the subscription begin again from its position, without the message', () => {
    subscribedRoom();
    session.receive([16, 1, 1, 0, 'a'], [16, 1, 3, 0, 'c'], [16, 1, 4, 0, 'd']);
    const [[type, id, ...rest] = [0, 0], ...others] = session.takeSent();
    expect([type, ...rest]).toEqual([28, 'room', { since: { epoch: 'e', offset: 1 } }]);
    expect(others).toEqual([]);
    session.subscribed(Number(id), { offset: 1, recovered: true });
    session.receive([16, 1, 2, 0, 'b'], [16, 1, 3, 0, 'c'], [16, 1, 4, 0, 'd']);
    expect(room.data).toEqual(['a', 'b', 'c', 'd']);
    expect(room.gaps).toEqual([]);
  });

  test('that comes again and again is not asked after without pause', () => {
    subscribedRoom();
    for (const pauseMs of [0, 250, 500]) {
      session.receive([16, 1, [9, 8], 0, 'x']);
      session.pass(Math.max(0, pauseMs - 1));
      expect(session.takeSent().filter(([type]) => type === 28)).toHaveLength(pauseMs === 0 ? 1 : 0);
      session.pass(1);
      session.takeSent();
      session.subscribed(lastSub(), { recovered: true });
    }
    session.receive([16, 1, 1, 0, 'a'], [16, 1, [9, 8], 0, 'x']);
    expect(session.takeSent().filter(([type]) => type === 28)).toHaveLength(1);
  });

  test('does not hide from the server that nobody wants the channel any more', () => {
    subscribedRoom();
    session.full = true;
    session.receive([16, 1, 3, 0, 'c']);
    session.channels.unsubscribe('room');
    session.full = false;
    session.pass();
    expect(session.takeSent()).toEqual([[29, 'room']]);
  });

  test('is told where the channel says that it dropped messages', () => {
    subscribedRoom();
    session.receive([23, 1, 1, 3], [23, 1, 2, 3], [16, 1, 4, 0, 'd'], [23, 1, 4, 6]);
    expect(room.gaps).toEqual([
      { reason: 'skipped', from: 1, to: 3 },
      { reason: 'skipped', from: 5, to: 6 },
    ]);
    expect(room.data).toEqual(['d']);
    expect(session.takeSent()).toEqual([]);
  });

  test('is not hidden by one that the channel declares', () => {
    subscribedRoom();
    session.receive([16, 1, 1, 0, 'a'], [23, 1, 3, 4]);
    expect(room.gaps).toEqual([]);
    expect(session.takeSent()).toEqual([[28, expect.any(Number), 'room', { since: { epoch: 'e', offset: 1 } }]]);
  });
});

describe('after a lost session', () => {
  test('channels go on from their position', () => {
    subscribedRoom();
    session.receive([16, 1, 1, 0, 'a']);
    session.lose();
    expect(session.attach()).toEqual([[1, 'room', { since: { epoch: 'e', offset: 1 } }]]);
    session.subscribed(1, { n: 7, offset: 1, recovered: true, head: 2 });
    session.receive([16, 1, 2, 0, 'old number'], [16, 7, 2, 0, 'b'], [16, 7, 3, 0, 'c']);
    expect(room.messages.map(({ data, meta }) => [data, meta.recovered])).toEqual([
      ['a', false],
      ['b', true],
      ['c', false],
    ]);
    expect(room.states.at(-1)).toEqual({ status: 'subscribed', recovered: true });
    expect(room.gaps).toEqual([]);
  });

  test('what cannot be made up for is told, also in a log that began anew', () => {
    subscribedRoom();
    session.receive([16, 1, 5, 0, 'never applied'], [16, 1, 1, 0, 'a']);
    session.lose();
    session.attach();
    session.subscribed(lastSub(), { epoch: 'f', offset: 0, recovered: false });
    expect(room.states.at(-1)).toEqual({ status: 'subscribed', recovered: false });
    expect(room.gaps).toEqual([{ reason: 'positionLost' }]);
    session.receive([16, 1, 1, 0, 'first of f']);
    expect(room.data).toEqual(['first of f']);
    expect(session.channels.position('room')).toEqual({ epoch: 'f', offset: 1 });
  });

  test('messages that came while the answer was on its way do not come twice', () => {
    subscribedRoom();
    const subs = session.channels.subs();
    session.receive([16, 1, 1, 0, 'a'], [16, 1, 2, 0, 'b']);
    session.lose();
    session.attach(subs);
    session.subscribed(1, { offset: 0, recovered: true });
    session.receive([16, 1, 1, 0, 'a'], [16, 1, 2, 0, 'b'], [16, 1, 3, 0, 'c']);
    expect(room.data).toEqual(['a', 'b', 'c']);
  });

  test('a session that was only resumed changes nothing', () => {
    subscribedRoom();
    session.resume();
    session.receive([16, 1, 1, 0, 'a']);
    expect(room.data).toEqual(['a']);
    expect(room.states).toHaveLength(2);
    expect(session.takeSent()).toEqual([]);
  });
});

describe('an incarnation that is over', () => {
  test('leaves nothing to be unsubscribed in the next', () => {
    subscribedRoom();
    session.channels.subscribe('user', {}, new Recorder());
    session.pass();
    session.full = true;
    session.channels.unsubscribe('user');
    session.pass();
    session.lose();
    session.channels.unsubscribe('room');
    session.full = false;
    session.takeSent();
    session.attach();
    expect(session.takeSent()).toEqual([]);
  });

  test('leaves ids that rise in the next attach', () => {
    subscribedRoom();
    session.channels.subscribe('user', {}, new Recorder());
    session.pass();
    session.receive([16, 1, 3, 0, 'c']);
    session.lose();
    const ids = session.channels.subs().map(([id]) => id);
    expect(ids).toHaveLength(2);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });
});

describe('a subscription that the server ends', () => {
  test('has failed for good where the code says so', () => {
    subscribedRoom();
    session.receive([26, 1, 'forbidden', 'not any more'], [16, 1, 1, 0, 'late']);
    expect(room.states.at(-1)).toEqual({ status: 'failed', code: 'forbidden', message: 'not any more', retryAt: null });
    expect(room.messages).toEqual([]);
  });

  test('is asked for again otherwise, from its position', () => {
    subscribedRoom();
    session.receive([16, 1, 1, 0, 'a'], [26, 1, 'broker_failed', 'restarted']);
    session.pass(125);
    expect(session.takeSent()).toEqual([[28, expect.any(Number), 'room', { since: { epoch: 'e', offset: 1 } }]]);
  });
});

describe('a closed client', () => {
  test('tells its channels, and wants them again when it has another session', () => {
    subscribedRoom();
    session.close('bye');
    const failed = { status: 'failed', code: 'kicked', message: 'bye', retryAt: Number.POSITIVE_INFINITY };
    expect(room.states.at(-1)).toEqual(failed);
    const late = new Recorder();
    session.channels.subscribe('late', {}, late);
    expect(late.states.at(-1)).toEqual(failed);
    session.channels.bind(session);
    expect(session.attach().map(([, name]) => name)).toEqual(['room', 'late']);
  });
});

test('a client that connects again tries what had failed for good: it may be somebody else now', () => {
  session.channels.subscribe('room', {}, room);
  session.attach();
  session.receive([20, 1, 'forbidden', 'no', false]);
  session.close();
  expect(room.states.at(-1)).toMatchObject({ code: 'forbidden', retryAt: null });
  session.channels.bind(session);
  expect(room.statuses.at(-1)).toBe('subscribing');
  expect(session.attach()).toHaveLength(1);
});

describe('presence', () => {
  test('is the members at first, and then what changes', () => {
    session.channels.subscribe('room', {}, room);
    session.attach();
    const ann = { id: 'a', data: 1, connected: true };
    session.subscribed(1, { presence: [ann] });
    expect(room.members).toEqual([ann]);
    const bob = { id: 'b', data: 2, connected: true };
    session.receive([24, 1, { joined: [bob, { ...ann, connected: false }] }]);
    expect(room.members).toEqual([{ ...ann, connected: false }, bob]);
    session.receive([24, 1, { left: ['a', 'nobody'] }]);
    expect(room.members).toEqual([bob]);
    session.lose();
    session.attach();
    session.subscribed(lastSub(), { presence: [ann] });
    expect(room.members).toEqual([ann]);
  });
});

describe('credentials', () => {
  test('that expire are asked for and go up as a request', () => {
    session.attach();
    session.receive([5, 30_000]);
    expect(session.refreshes).toBe(1);
    session.channels.reauthorize('"token"', 15_000, session.now);
    session.pass();
    expect(session.takeSent()).toEqual([[18, 1, '', '$auth', 'token', 15_000]]);
    session.receive([20, 1, 'unauthorized', 'no', false]);
  });
});

const answer = { n: 3, epoch: 'e', offset: 0, head: 0, recovered: null, events: [] };

/** Id of the subscribe asked for last. */
function lastSub(): number {
  const [sub] = session.channels.subs();
  return sub?.[0] ?? 0;
}
