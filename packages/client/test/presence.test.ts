import { beforeEach, describe, expect, test } from 'vitest';
import type { Client, ClientChannel, PresenceChange } from '../src/index.ts';
import type { AppContract } from './app-contract.ts';
import { World } from './world.ts';

let world: World;
let client: Client<AppContract>;
let room: ClientChannel<AppContract, 'room/:roomId'>;

const lobby = { roomId: 'lobby' };
const red = { color: 'red' };
const blue = { color: 'blue' };
const green = { color: 'green' };

beforeEach(async () => {
  world = new World();
  client = world.client();
  await world.until(() => client.diagnose().transport === 'websocket');
  room = client.channel('room/:roomId', lobby);
});

/** Whether the channel was subscribed, and let go of, as the server heard it. */
function subscribeFrames(): unknown[] {
  return world.frames.filter(([type]) => type === 28 || type === 29).map(([type]) => (type === 28 ? 'in' : 'out'));
}

/** The server forgets everything, and the client has found it again. */
async function nextSession(): Promise<void> {
  world.restart();
  await world.until(() => client.diagnose().transport === 'websocket' && room.state.status === 'subscribed');
}

/** What the server was asked, and with what. */
function asked(): unknown[] {
  return world.frames.flatMap((frame) =>
    frame[0] === 18 ? [frame[4] === null ? frame[3] : [frame[3], frame[4]]] : [],
  );
}

const member = (id: string, data = red) => ({ id, data, connected: true });

describe('members', () => {
  test('are told whenever they change, with what has changed', async () => {
    expect(room.presence.members()).toEqual([]);
    const told: [string[], PresenceChange<{ color: string }>][] = [];
    const off = room.presence.onChange((members, change) => told.push([members.map(({ id }) => id), change]));
    await world.run(100);
    const [a, b, bluer, away] = [member('a'), member('b'), member('a', blue), { ...member('b'), connected: false }];
    world.tell('room/lobby', (n) => [24, n, { joined: [a, b] }]);
    world.tell('room/lobby', (n) => [24, n, { joined: [bluer, away] }]);
    world.tell('room/lobby', (n) => [24, n, { left: ['a'] }]);
    await world.run(100);
    expect(told).toEqual([
      [[], { joined: [], updated: [], left: [] }],
      [['a', 'b'], { joined: [a, b], updated: [], left: [] }],
      [['a', 'b'], { joined: [], updated: [bluer, away], left: [] }],
      [['b'], { joined: [], updated: [], left: [bluer] }],
    ]);
    expect(room.presence.members()).toEqual([away]);
    expect(room.presence.members()).toBe(room.presence.members());
    off();
    await world.run(100);
    expect(subscribeFrames()).toEqual(['in', 'out']);
    expect(room.presence.members()).toEqual([]);
  });

  test('that are the same in the next session are no change', async () => {
    world.members = [member('a'), member('b')];
    const changes: PresenceChange<{ color: string }>[] = [];
    room.presence.onChange((_, change) => changes.push(change));
    await world.run(100);
    const members = room.presence.members();
    await nextSession();
    expect(room.presence.members()).toBe(members);
    world.members = [member('a')];
    await nextSession();
    expect(changes).toEqual([
      { joined: [member('a'), member('b')], updated: [], left: [] },
      { joined: [], updated: [], left: [member('b')] },
    ]);
  });

  test('are counted without a subscription', async () => {
    world.answer = ([, id]) => [19, id, { members: 2, subscribers: 3 }];
    const occupancy = room.presence.occupancy();
    await world.run(100);
    expect(await occupancy).toEqual({ members: 2, subscribers: 3 });
    expect(asked()).toEqual(['$occupancy']);
    expect(subscribeFrames()).toEqual([]);
  });
});

describe('one who enters', () => {
  test('does so once the channel is subscribed, and leaves', async () => {
    const enter = room.presence.enter(red);
    await world.run(100);
    await enter;
    expect(asked()).toEqual([['$enter', red]]);
    const leave = room.presence.leave();
    await world.run(100);
    await leave;
    await room.presence.leave();
    await world.run(100);
    expect(asked()).toEqual([['$enter', red], '$leave']);
    expect(subscribeFrames()).toEqual(['in', 'out']);
  });

  test('and takes it back before it began never does', async () => {
    const entering = expect(room.presence.enter(red)).rejects.toMatchObject({ code: 'canceled' });
    await room.presence.leave();
    await world.run(100);
    await entering;
    room.on('message', () => {});
    const again = room.presence.enter(red);
    await room.presence.leave();
    await world.run(100);
    await again;
    expect(asked()).toEqual([]);
  });

  test('enters again in a new session', async () => {
    void room.presence.enter(red);
    await world.run(100);
    void room.presence.enter(blue);
    await world.run(100);
    await nextSession();
    await world.run(100);
    expect(asked()).toEqual([
      ['$enter', red],
      ['$enter', blue],
      ['$enter', blue],
    ]);
    void room.presence.leave();
    await world.run(100);
    expect(room.state.status).toBe('idle');
  });

  test('and is refused is not asked for again', async () => {
    world.answer = ([, id]) => [20, id, 'forbidden', 'no', false];
    const refused = expect(room.presence.enter(red)).rejects.toMatchObject({ code: 'forbidden' });
    await world.run(100);
    await refused;
    await world.run(100);
    expect(subscribeFrames()).toEqual(['in', 'out']);
    const secret = client.channel('secret/:name', { name: 'x' }) as never as typeof room;
    const forbidden = expect(secret.presence.enter(red)).rejects.toMatchObject({ code: 'forbidden' });
    await world.run(100);
    await forbidden;
  });

  test('and fails for the time being is asked for again', async () => {
    world.answer = ([, id]) => [20, id, 'overloaded', 'later', true];
    const failed = expect(room.presence.enter(red)).rejects.toMatchObject({ code: 'overloaded' });
    await world.run(100);
    await failed;
    world.answer = ([, id]) => [19, id];
    await nextSession();
    await world.run(100);
    expect(asked()).toEqual([
      ['$enter', red],
      ['$enter', red],
    ]);
  });

  test('leaves when the handle is closed', async () => {
    void room.presence.enter(red);
    await world.run(100);
    room.close();
    await world.run(100);
    expect(asked()).toEqual([['$enter', red], '$leave']);
    expect(subscribeFrames()).toEqual(['in', 'out']);
  });
});

describe('one who is present', () => {
  beforeEach(async () => {
    void room.presence.enter(red);
    await world.run(100);
  });

  test('may show other data', async () => {
    const updated = room.presence.update(blue);
    await world.run(100);
    await updated;
    expect(asked()).toEqual([
      ['$enter', red],
      ['$enter', blue],
    ]);
  });

  test('and shows other data in quick succession tells the last only, one after another', async () => {
    world.answer = () => null;
    const first = room.presence.update(blue);
    await world.run(100);
    const [id] = world.frames.flatMap((frame) => (frame[0] === 18 ? [frame[1]] : [])).slice(-1);
    const second = room.presence.update(red);
    const third = room.presence.update(green);
    const left = room.presence.leave();
    void room.presence.enter(green);
    await world.run(100);
    expect(asked()).toHaveLength(2);
    world.answer = ([, at]) => [19, at];
    world.reply([19, id as number]);
    await world.run(100);
    await Promise.all([first, second, third, left]);
    expect(asked()).toEqual([
      ['$enter', red],
      ['$enter', blue],
      ['$enter', green],
    ]);
  });

  test('keeps what the server has taken where it refuses other data', async () => {
    world.answer = ([, id]) => [20, id, 'validation_failed', 'no such colour', false];
    const refused = expect(room.presence.update(blue)).rejects.toMatchObject({ code: 'validation_failed' });
    await world.run(100);
    await refused;
    world.answer = ([, id]) => [19, id];
    await nextSession();
    await world.run(100);
    expect(asked().at(-1)).toEqual(['$enter', red]);
    void room.presence.leave();
    await world.run(100);
    expect(asked().at(-1)).toEqual('$leave');
  });

  test('by several handles shows what the last gave, and leaves with the last', async () => {
    const other = client.channel('room/:roomId', lobby);
    void other.presence.enter(blue);
    await other.presence.leave();
    await expect(other.presence.update(blue)).rejects.toThrow(TypeError);
    void other.presence.enter(blue);
    await world.run(100);
    void room.presence.update(green);
    await world.run(100);
    expect(asked()).toHaveLength(2);
    other.close();
    await world.run(100);
    expect(asked()).toEqual([
      ['$enter', red],
      ['$enter', blue],
      ['$enter', green],
    ]);
    await other.presence.leave();
    expect(subscribeFrames()).toEqual(['in']);
    void other.presence.enter(blue);
    void room.presence.enter(red);
    await world.run(100);
    expect(asked().at(-1)).toEqual(['$enter', red]);
    void other.presence.leave();
    await world.run(100);
    expect(asked().at(-1)).toEqual(['$enter', red]);
    room.close();
    await world.run(100);
    expect(asked().at(-1)).toBe('$leave');
    expect(subscribeFrames()).toEqual(['in', 'out']);
  });
});

test('a handle that never entered speaks for those that have', async () => {
  void client.channel('room/:roomId', lobby).presence.enter(red);
  void room.presence.enter(blue);
  await world.run(100);
  const another = () => client.channel('room/:roomId', lobby);
  void another().presence.update(green);
  await world.run(100);
  another().close();
  await world.run(100);
  expect(asked()).toEqual([
    ['$enter', blue],
    ['$enter', green],
  ]);
  void another().presence.leave();
  await world.run(100);
  expect(asked().at(-1)).toBe('$leave');
  expect(subscribeFrames()).toEqual(['in', 'out']);
});

test('leave() of a handle that has left waits for no other', async () => {
  const other = client.channel('room/:roomId', lobby);
  const entered = expect(other.presence.enter(blue)).rejects.toMatchObject({ code: 'canceled' });
  void other.presence.leave();
  await world.run(100);
  await entered;
  world.answer = () => null;
  const entering = room.presence.enter(red);
  await world.run(100);
  await other.presence.leave();
  world.reply([19, world.frames.at(-1)?.[1] as number]);
  await world.run(100);
  await entering;
});

test('update() of one who has not entered is a mistake', async () => {
  await expect(room.presence.update(red)).rejects.toThrow('presence.enter()');
});
