import type { AppDownFrame, Line, SessionPort, Transport } from '@runnel/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import type { News, TabId } from '../../src/share/messages.ts';
import { Switchboard, type SwitchboardState } from '../../src/share/switchboard.ts';
import { turn } from '../turn.ts';

/** A session that takes what it is given. */
class Port implements SessionPort {
  transport: Transport | null = 'websocket';
  holdsLoose = false;
  readonly client = 'ours';
  readonly limits = null;
  /** Whether the outbox has room. */
  room = true;
  readonly sent: unknown[][] = [];
  readonly loose: string[] = [];

  send(lines: readonly Line[]): boolean {
    if (this.room) for (const { text } of lines) this.sent.push(JSON.parse(text));
    return this.room;
  }
  sendLoose({ text }: Line): boolean {
    this.loose.push(text);
    return true;
  }
  flush(): void {}
}

let port: Port;
let told: [to: readonly TabId[] | null, News][];
let ids: number;

function board(resume: SwitchboardState | null = null): Switchboard {
  const made = new Switchboard({
    newId: () => `life${++ids}`,
    place: 'tab',
    tell: (to, news) => told.push([to, news]),
    onFacts: () => {},
    touch: () => {},
    onRefresh: () => {},
    resume,
  });
  made.bind(port);
  return made;
}

/** One with tabs, attached. */
function opened(...tabs: TabId[]): Switchboard {
  const made = board();
  for (const tab of tabs) made.join(tab, []);
  made.attached([]);
  told = [];
  return made;
}

const newsOf = (tab: TabId): News[] => told.flatMap(([to, news]) => (to === null || to.includes(tab) ? [news] : []));
const framesOf = (tab: TabId): AppDownFrame[] => newsOf(tab).flatMap((news) => (news[0] === 'frame' ? [news[1]] : []));

function up(made: Switchboard, tab: TabId, n: number, ...frames: unknown[][]): void {
  made.up(
    tab,
    made.life,
    n,
    frames.map((frame) => JSON.stringify(frame)),
  );
  made.steer(0);
}

const publish = (id: number, text = 'hi'): unknown[] => [22, id, 'room', 'message', text, `key${id}`];
const subscribed = (id: number, more = {}): AppDownFrame => [
  17,
  id,
  { n: 5, epoch: 'e', offset: 0, head: 0, recovered: null, events: ['message'], ...more },
];

beforeEach(() => {
  port = new Port();
  told = [];
  ids = 0;
});

describe('What tabs send', () => {
  test('goes up under ids of the session, and the answers go to whom they are for', () => {
    const made = opened('a', 'b');
    up(made, 'a', 0, publish(1));
    up(made, 'b', 0, publish(1));
    expect(port.sent).toEqual([publish(1), [22, 2, 'room', 'message', 'hi', 'key1']]);
    made.frame([20, 2, 'forbidden', 'no', false]);
    made.frame([19, 1, 'done']);
    expect(framesOf('a')).toEqual([[19, 1, 'done']]);
    expect(framesOf('b')).toEqual([[20, 1, 'forbidden', 'no', false]]);
  });

  test('is taken once, also where it is sent again', () => {
    const made = opened('a');
    up(made, 'a', 0, publish(1), publish(2));
    up(made, 'a', 1, publish(2), publish(3));
    up(made, 'a', 0, publish(1));
    expect(port.sent.map(([, , , , , key]) => key)).toEqual(['key1', 'key2', 'key3']);
    expect(made.taken).toEqual([['a', 3]]);
  });

  test('waits at the tab until all before it has come, and until the session takes it', () => {
    const made = opened('a');
    up(made, 'a', 1, publish(2));
    expect(port.sent).toEqual([]);
    port.transport = null;
    up(made, 'a', 0, publish(1));
    expect(made.taken).toEqual([['a', 0]]);
    port.transport = 'poll';
    port.room = false;
    made.steer(0);
    expect(made.nextTimeout()).toBe(250);
    port.room = true;
    made.steer(250);
    expect(port.sent).toEqual([publish(1)]);
    expect(made.taken).toEqual([['a', 1]]);
  });

  test('is not for an incarnation that has followed', () => {
    const made = opened('a');
    const before = made.life;
    port.transport = null;
    up(made, 'a', 0, publish(1));
    made.lost();
    made.up('a', before, 1, [JSON.stringify(publish(2))]);
    made.attached([]);
    port.transport = 'websocket';
    up(made, 'a', 2, publish(3));
    expect(port.sent.map(([, , , , , key]) => key)).toEqual(['key3']);
    expect(made.taken).toEqual([['a', 3]]);
  });

  test('is stopped when the tab is gone, where it may be', () => {
    const made = opened('a', 'b');
    up(made, 'a', 0, publish(1), [18, 2, 'room', 'ask', null, 1_000], [28, 3, 'room', {}]);
    port.sent.length = 0;
    made.leave('a');
    made.steer(0);
    expect(port.sent).toEqual([
      [21, 2],
      [29, 'room'],
    ]);
    made.frame([19, 1]);
    expect(framesOf('a')).toEqual([]);
  });

  test('is forgotten where it makes no sense', () => {
    const made = opened('a');
    made.up('a', made.life, 0, ['nonsense', '{}', '[]', '[28,1,"room",{"since":1}]', '[28]', '[22,"x"]', '[21,99]']);
    made.steer(0);
    expect(port.sent).toEqual([]);
    expect(made.taken).toEqual([['a', 7]]);
  });
});

describe('A channel', () => {
  test('is subscribed with the first tab and let go of with the last', () => {
    const made = opened('a', 'b');
    up(made, 'a', 0, [28, 7, 'room', { rewind: 2 }]);
    up(made, 'b', 0, [28, 1, 'room', { rewind: 2 }]);
    made.frame(subscribed(1));
    expect(framesOf('a')).toEqual([subscribed(7)]);
    expect(framesOf('b')).toEqual([subscribed(1)]);
    made.frame([16, 5, 1, 0, 'x']);
    up(made, 'a', 1, [29, 'room']);
    made.frame([16, 5, 2, 0, 'y']);
    expect(framesOf('a').slice(1)).toEqual([[16, 5, 1, 0, 'x']]);
    expect(framesOf('b').slice(1)).toEqual([
      [16, 5, 1, 0, 'x'],
      [16, 5, 2, 0, 'y'],
    ]);
    up(made, 'b', 1, [29, 'room']);
    expect(port.sent).toEqual([
      [28, 1, 'room', { rewind: 2 }],
      [29, 'room'],
    ]);
  });

  test('keeps what comes for a tab that reads of the past, and hands it out behind that', async () => {
    const made = opened('a', 'b');
    up(made, 'a', 0, [28, 1, 'room', {}]);
    made.frame(subscribed(1, { offset: 7, head: 7 }));
    up(made, 'b', 0, [28, 1, 'room', { since: { epoch: 'e', offset: 5 } }]);
    made.steer(0);
    expect(port.sent.at(-1)).toEqual([
      18,
      2,
      'room',
      '$history',
      { since: { epoch: 'e', offset: 5 }, limit: 256 },
      15_000,
    ]);
    made.frame([16, 5, 8, 0, 'eight']);
    expect(framesOf('b')).toEqual([]);
    const messages = [6, 7].map((offset) => ({ offset, event: 'message', data: offset }));
    made.frame([19, 2, { epoch: 'e', head: 7, complete: true, messages }]);
    await turn();
    expect(framesOf('b')).toEqual([
      subscribed(1, { offset: 5, head: 7, recovered: true }),
      [16, 5, [6, 5], 0, 6, {}],
      [16, 5, [7, 6], 0, 7, {}],
      [16, 5, 8, 0, 'eight'],
    ]);
  });

  test('is asked for once, from where its tabs stand, when the session was lost', () => {
    const made = opened('a', 'b');
    up(made, 'a', 0, [28, 1, 'room', {}]);
    up(made, 'b', 0, [28, 4, 'room', {}]);
    made.frame(subscribed(1));
    made.frame([16, 5, 1, 0, 'x']);
    made.lost();
    const subs = made.subs();
    expect(subs.map(([, name, from]) => [name, from])).toEqual([['room', { since: { epoch: 'e', offset: 1 } }]]);
    told = [];
    made.attached(subs);
    expect(newsOf('b')).toEqual([['attached', [[4, 'room', { since: { epoch: 'e', offset: 1 } }]]]]);
    made.frame(subscribed(subs[0]?.[0] ?? 0, { offset: 1, head: 1, recovered: true }));
    expect(framesOf('a')).toEqual([subscribed(1, { offset: 1, head: 1, recovered: true })]);
    expect(framesOf('b')).toEqual([subscribed(4, { offset: 1, head: 1, recovered: true })]);
  });
});

describe('A session that has moved to another node', () => {
  const inRoom = (n: number, data: unknown): AppDownFrame => [16, n, 1, 0, data];

  /** Tab a is in two channels, tab b in the second. */
  function moving(): Switchboard {
    const made = opened('a', 'b');
    up(made, 'a', 0, [28, 1, 'room', {}], [28, 2, 'user', {}]);
    up(made, 'b', 0, [28, 7, 'user', {}]);
    made.frame(subscribed(1, { n: 1 }));
    made.frame(subscribed(2, { n: 2 }));
    told = [];
    return made;
  }

  test('goes on in each channel, also where one has the number by then that another had', () => {
    const made = moving();
    made.frame(subscribed(1, { n: 2, recovered: true }));
    made.frame(inRoom(2, 'to the room'));
    made.frame(subscribed(2, { n: 1, recovered: true }));
    made.frame(inRoom(1, 'to the user'));
    expect(framesOf('a')).toEqual([
      subscribed(1, { n: 2, recovered: true }),
      inRoom(2, 'to the room'),
      subscribed(2, { n: 1, recovered: true }),
      inRoom(1, 'to the user'),
    ]);
    expect(framesOf('b')).toEqual([subscribed(7, { n: 1, recovered: true }), inRoom(1, 'to the user')]);
  });

  test('hears nothing of a channel that every tab has just left under the number that another had', () => {
    const made = moving();
    up(made, 'a', 2, [29, 'room']);
    made.frame(subscribed(1, { n: 2, recovered: true }));
    made.frame(inRoom(2, 'to those who left'));
    expect(framesOf('a')).toEqual([]);
  });

  test('has it told to every tab where a channel cannot be had there', () => {
    const made = moving();
    made.frame([20, 2, 'forbidden', 'no', false]);
    expect(framesOf('a')).toEqual([[20, 2, 'forbidden', 'no', false]]);
    expect(framesOf('b')).toEqual([[20, 7, 'forbidden', 'no', false]]);
    made.frame(inRoom(2, 'to nobody'));
    expect(framesOf('b')).toHaveLength(1);
  });

  test('begins again what a tab was reading of the past', async () => {
    const made = moving();
    made.join('c', [[9, 'room', { rewind: 5 }]]);
    made.steer(0);
    made.frame(subscribed(1, { n: 3, offset: 1, head: 1, recovered: true }));
    const page = { epoch: 'e', head: 1, complete: true, messages: [{ offset: 1, event: 'message', data: 'old' }] };
    for (let pages = 0; pages < 2; pages += 1) {
      made.steer(0);
      for (const [type, id, , method] of port.sent.splice(0)) {
        if (type !== 18) continue;
        made.frame(method === '$history' ? [19, Number(id), page] : [20, Number(id), 'unknown_method', 'none', false]);
      }
      await turn();
    }
    expect(framesOf('c')).toEqual([
      subscribed(9, { n: 3, offset: 0, head: 1, recovered: null }),
      [16, 3, [1, 0], 0, 'old', {}],
    ]);
  });
});

describe('Presence', () => {
  const enter = (id: number, mood: string): unknown[] => [18, id, 'room', '$enter', mood, 1_000];
  const leave = (id: number): unknown[] => [18, id, 'room', '$leave', null, 1_000];
  const asked = (): unknown[] => port.sent.flatMap(([type, , , method, data]) => (type === 18 ? [[method, data]] : []));

  function present(): Switchboard {
    const made = opened('a', 'b');
    up(made, 'a', 0, [28, 1, 'room', {}], enter(2, 'first'));
    made.frame(subscribed(1, { presence: [] }));
    up(made, 'b', 0, [28, 1, 'room', {}], enter(2, 'second'));
    port.sent.length = 0;
    told = [];
    return made;
  }

  test('is left when the last tab leaves', () => {
    const made = present();
    up(made, 'a', 2, leave(3));
    expect(asked()).toEqual([]);
    expect(framesOf('a')).toEqual([[19, 3, null]]);
    up(made, 'b', 2, leave(3));
    expect(asked()).toEqual([['$leave', null]]);
  });

  test('shows what the one before gave when the last one leaves, however that goes', () => {
    const made = present();
    made.leave('b');
    made.steer(0);
    expect(asked()).toEqual([['$enter', 'first']]);
  });

  test('is left when a tab that stays in the channel is the only one left', () => {
    const made = present();
    up(made, 'b', 2, leave(3));
    made.join('c', [[1, 'room', {}]]);
    made.leave('a');
    made.steer(0);
    expect(asked().slice(1)).toContainEqual(['$leave', null]);
  });
});

describe('Another host', () => {
  test('goes on with calls, channels and what was not sent', () => {
    const made = opened('a', 'b');
    up(made, 'a', 0, [28, 1, 'room', {}], publish(2), [28, 3, 'other', {}]);
    made.frame(subscribed(1));
    port.transport = null;
    made.leave('b');
    made.join('c', [[9, 'room', { since: { epoch: 'e', offset: 0 } }]]);
    up(made, 'a', 3, publish(4));
    made.leave('c');
    const state = structuredClone(made.handOver());
    told = [];
    port = new Port();
    const next = board(state);
    expect(next.taken).toEqual([['a', 3]]);
    next.steer(0);
    up(next, 'a', 3, publish(4));
    expect(port.sent).toEqual([[22, 4, 'room', 'message', 'hi', 'key4']]);
    next.frame([19, 2, 'done']);
    next.frame([16, 5, 1, 0, 'x']);
    next.frame(subscribed(3, { n: 6 }));
    expect(framesOf('a')).toEqual([[19, 2, 'done'], [16, 5, 1, 0, 'x'], subscribed(3, { n: 6 })]);
  });

  test('sends what the one before had for a session that took nothing more', () => {
    const made = opened('a', 'b');
    up(made, 'b', 0, [28, 1, 'room', {}]);
    port.room = false;
    made.leave('b');
    made.steer(0);
    port = new Port();
    board(structuredClone(made.handOver())).steer(0);
    expect(port.sent).toEqual([[29, 'room']]);
  });
});

test('Frames that may be lost are sent with the turn, the oldest dropped beyond a bound', () => {
  const made = opened('a');
  port.holdsLoose = true;
  for (let n = 0; n < 10; n += 1) made.loose([JSON.stringify([9, 'room', 'typing', `${n}${'x'.repeat(10_000)}`])]);
  made.steer(0);
  expect(port.loose).toEqual([]);
  port.holdsLoose = false;
  made.steer(0);
  expect(port.loose.map((text) => JSON.parse(text)[3][0])).toEqual(['4', '5', '6', '7', '8', '9']);
});
