import { type PresenceChange, Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import { PresenceChannel } from '../src/presence-channel.ts';
import type { Harness, TestClient } from './harness.ts';
import { openRoom } from './open-room.ts';
import { turn } from './virtual-clock.ts';

const enter = (client: TestClient, color = 'red', channel = 'room/a') =>
  client.codeOf(client.request(channel, '$enter', { color }));
const leave = (client: TestClient, channel = 'room/a') => client.codeOf(client.request(channel, '$leave'));
const close = (client: TestClient) => client.send([Type.goaway, 'closed', '', 0]);
/** Lets what changed be told, in a channel of a few. */
const told = (harness: Harness) => harness.clock.advance(20);
const changes = (client: TestClient) => client.ofType(Type.presence).map(([, , change]) => change);
const red = (id: string, connected = true) => ({ id, data: { color: 'red' }, connected });

async function setUp() {
  const harness = openRoom();
  const [ann, bob] = [await harness.connect('ann'), await harness.connect('bob')];
  await bob.answer(bob.subscribe('room/a'));
  const room = harness.app.channel('room/:roomId', { roomId: 'a' });
  return { harness, ann, bob, room };
}

describe('presence', () => {
  it('is told to subscribers, by those who enter, change and leave', async () => {
    const { harness, ann, bob, room } = await setUp();
    expect(await enter(ann)).toBeNull();
    await told(harness);
    expect(await enter(ann, 'blue')).toBeNull();
    expect(await room.presence.members()).toEqual([{ id: 'ann', data: { color: 'blue' }, connected: true }]);
    await told(harness);
    expect(await leave(ann)).toBeNull();
    await told(harness);
    expect(changes(bob)).toEqual([
      { joined: [red('ann')] },
      { joined: [{ ...red('ann'), data: { color: 'blue' } }] },
      { left: ['ann'] },
    ]);
    expect(await room.presence.members()).toEqual([]);
  });

  it('is told to a new subscriber as it is', async () => {
    const { harness, ann, bob } = await setUp();
    await enter(ann);
    await enter(bob);
    const eve = await harness.connect('eve', [[1, 'room/a', {}]]);
    expect(eve.ofType(Type.subscribed)[0]?.[2].presence).toEqual([red('ann'), red('bob')]);
    await leave(ann);
    await enter(bob, 'blue');
    const joe = await harness.connect('joe', [[1, 'room/a', {}]]);
    expect(joe.ofType(Type.subscribed)[0]?.[2].presence).toEqual([{ ...red('bob'), data: { color: 'blue' } }]);
    await eve.answer(eve.subscribe('ticker'));
    expect(eve.ofType(Type.subscribed)[1]?.[2]).not.toHaveProperty('presence');
  });

  it('is told in parts where it is too long for one frame', async () => {
    const harness = openRoom({}, { limits: { lineBytes: 8_000 } });
    for (let i = 0; i < 50; i += 1) await enter(await harness.connect(`user${i}`), 'x'.repeat(100));
    const eve = await harness.connect('eve', [[1, 'room/a', {}]]);
    const first = eve.ofType(Type.subscribed)[0]?.[2].presence ?? [];
    const rest = changes(eve).flatMap(({ joined = [] }) => joined);
    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThan(40);
    expect(eve.frames.every((frame) => JSON.stringify(frame).length < harness.limits.lineBytes)).toBe(true);
    expect([...first, ...rest].map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, i) => `user${i}`));
  });

  it('counts the sessions of one user as one member, who leaves with the last', async () => {
    const { harness, ann, bob, room } = await setUp();
    const second = await harness.connect('ann');
    await enter(ann);
    await enter(second);
    expect(await room.occupancy()).toEqual({ subscribers: 1, members: 1 });
    await leave(ann);
    await told(harness);
    expect(changes(bob).flatMap(({ left = [] }) => left)).toEqual([]);
    close(second);
    await told(harness);
    expect(changes(bob).at(-1)).toEqual({ left: ['ann'] });
  });

  it('shows what another session of the user has entered with when the one that came last has left', async () => {
    const { harness, ann, bob } = await setUp();
    const second = await harness.connect('ann');
    await enter(ann);
    await enter(second, 'blue');
    await told(harness);
    await leave(second);
    await told(harness);
    expect(changes(bob)).toEqual([{ joined: [{ ...red('ann'), data: { color: 'blue' } }] }, { joined: [red('ann')] }]);
  });

  it('says connected: false while the session has no link, and leaves when it expires', async () => {
    const { harness, ann, bob } = await setUp();
    await enter(ann);
    ann.cut();
    await told(harness);
    expect(changes(bob).at(-1)).toEqual({ joined: [red('ann', false)] });
    await ann.resume();
    await told(harness);
    expect(changes(bob).at(-1)).toEqual({ joined: [red('ann')] });
    ann.cut();
    bob.cut();
    await harness.advance(harness.limits.ttlMs);
    expect(await harness.app.channel('room/:roomId', { roomId: 'a' }).presence.members()).toEqual([]);
  });

  it('stays connected while another session of the user is', async () => {
    const { harness, ann, bob } = await setUp();
    const second = await harness.connect('ann');
    await enter(ann);
    await enter(second);
    await told(harness);
    const { length } = changes(bob);
    ann.cut();
    await told(harness);
    expect(changes(bob)).toHaveLength(length);
    second.cut();
    await told(harness);
    expect(changes(bob).at(-1)).toEqual({ joined: [red('ann', false)] });
  });

  it('ends with an explicit close at once, and with unsubscribe', async () => {
    const { harness, ann, bob, room } = await setUp();
    await ann.answer(ann.subscribe('room/a'));
    await enter(ann);
    await told(harness);
    ann.send([Type.unsubscribe, 'room/a']);
    expect(await room.presence.members()).toEqual([]);
    await told(harness);
    expect(changes(bob).at(-1)).toEqual({ left: ['ann'] });
    await enter(ann);
    await told(harness);
    close(ann);
    expect(await room.presence.members()).toEqual([]);
    await told(harness);
    expect(changes(bob).at(-1)).toEqual({ left: ['ann'] });
  });

  it('is what the server makes of what a client enters with', async () => {
    const { harness, ann, bob } = await setUp();
    await bob.answer(bob.subscribe('user/7'));
    await ann.answer(ann.request('user/7', '$enter', { device: 'phone', name: 'forged' }));
    await told(harness);
    expect(changes(bob)).toEqual([{ joined: [{ id: 'ann', data: { name: 'ann on phone' }, connected: true }] }]);
    expect(harness.errors).toEqual([]);
  });

  it('refuses data that its schema refuses', async () => {
    const { harness, ann, bob } = await setUp();
    expect(await ann.codeOf(ann.request('room/a', '$enter', { color: 1 }))).toBe('validation_failed');
    expect(await ann.codeOf(ann.request('room/a', '$enter', { color: 'x'.repeat(20_000) }))).toBe('payload_too_large');
    await told(harness);
    expect(changes(bob)).toEqual([]);
  });

  it('blames nobody else for what the presence handler returns wrong', async () => {
    const harness = openRoom({ presence: () => ({ color: 5 }) });
    const ann = await harness.connect('ann');
    expect(await enter(ann)).toBe('handler_failed');
    expect(harness.errors).toHaveLength(1);
  });

  it('is not there where the contract declares none', async () => {
    const { ann } = await setUp();
    for (const method of ['$enter', '$leave', '$members']) {
      expect(await ann.codeOf(ann.request('ticker', method, {}))).toBe('unknown_method');
    }
  });

  it('is bounded for each session', async () => {
    const harness = openRoom({}, { limits: { channels: 2 } });
    const ann = await harness.connect('ann');
    expect(await enter(ann, 'red', 'room/a')).toBeNull();
    expect(await enter(ann, 'red', 'room/b')).toBeNull();
    expect(await enter(ann, 'red', 'room/c')).toBe('limit_reached');
    await leave(ann);
    expect(await enter(ann, 'red', 'room/c')).toBeNull();
  });

  describe('that takes its time to let somebody in', () => {
    /** The presence handler waits; `admit` lets in who asked as the nth. */
    async function setUpSlow() {
      const admits: (() => void)[] = [];
      const presence = ({ data }: { data: unknown }) => new Promise((resolve) => admits.push(() => resolve(data)));
      const harness = openRoom({ presence });
      const ann = await harness.connect('ann');
      const room = harness.app.channel('room/:roomId', { roomId: 'a' });
      const ask = async (color: string) => {
        const id = ann.request('room/a', '$enter', { color });
        await turn();
        return id;
      };
      const admit = async (nth: number) => {
        admits[nth]?.();
        await turn();
      };
      return { harness, ann, room, ask, admit };
    }

    it('leaves no ghost of a session that ended meanwhile', async () => {
      const { ann, room, ask, admit } = await setUpSlow();
      await ask('red');
      close(ann);
      await admit(0);
      expect(await room.presence.members()).toEqual([]);
    });

    it('leaves none of one that has left meanwhile', async () => {
      const { ann, room, ask, admit } = await setUpSlow();
      const id = await ask('red');
      expect(await leave(ann)).toBeNull();
      await admit(0);
      expect(await ann.codeOf(id)).toBeNull();
      expect(await room.presence.members()).toEqual([]);
      await ask('blue');
      await admit(1);
      expect(await room.presence.members()).toHaveLength(1);
    });

    it('leaves none of one that has given up meanwhile', async () => {
      const { ann, room, ask, admit } = await setUpSlow();
      const id = await ask('red');
      ann.send([Type.cancel, id]);
      await admit(0);
      expect(await ann.codeOf(id)).toBe('canceled');
      expect(await room.presence.members()).toEqual([]);
    });

    it.each([
      [0, 1],
      [1, 0],
    ])('shows what was asked for last, whichever was done first: %i, %i', async (...order) => {
      const { room, ask, admit } = await setUpSlow();
      await ask('red');
      await ask('blue');
      for (const nth of order) await admit(nth);
      expect(await room.presence.members()).toEqual([{ ...red('ann'), data: { color: 'blue' } }]);
    });
  });

  it('is over for one who enters and leaves in one breath', async () => {
    const { ann, room } = await setUp();
    const id = ann.request('room/a', '$enter', { color: 'red' });
    ann.request('room/a', '$leave');
    expect(await ann.codeOf(id)).toBeNull();
    expect(await room.presence.members()).toEqual([]);
  });
});

/** A channel of its own, with a log of what it says. */
function channelOf(harness: Harness, subscribers: number) {
  const told: PresenceChange[] = [];
  const idle: string[] = [];
  const channel = new PresenceChannel({
    clock: harness.clock,
    tell: (change) => told.push(change),
    audience: () => subscribers,
    onIdle: () => idle.push('idle'),
    partSize: 1_000,
  });
  return { channel, told, idle };
}

describe('what changes', () => {
  /** Bob and many others follow a room; `crowd` are about to come. */
  async function setUpCrowd(size: number, watchers = 0) {
    const harness = openRoom();
    const bob = await harness.connect('bob', [[1, 'room/a', {}]]);
    for (let i = 0; i < watchers; i += 1) await harness.connect(`watcher${i}`, [[1, 'room/a', {}]]);
    const crowd: TestClient[] = [];
    for (let i = 0; i < size; i += 1) crowd.push(await harness.connect(`user${i}`));
    const ids = crowd.map((_, i) => `user${i}`);
    return { harness, bob, crowd, ids };
  }

  it('is told at the end of the turn when it was quiet before', async () => {
    const { harness, bob, crowd } = await setUpCrowd(1);
    await enter(crowd[0] as TestClient);
    expect(changes(bob)).toEqual([]);
    await harness.clock.advance(0);
    expect(changes(bob)).toEqual([{ joined: [red('user0')] }]);
    expect(harness.clock.pending).toBe(0);
  });

  it('close together is told in one frame, those who came and those who left', async () => {
    const { harness, bob, crowd } = await setUpCrowd(4);
    const [one, two, three, four] = crowd as [TestClient, TestClient, TestClient, TestClient];
    await enter(one);
    await told(harness);
    await enter(two);
    await enter(three);
    await enter(four, 'blue');
    await enter(four);
    await leave(one);
    await told(harness);
    expect(changes(bob)).toEqual([
      { joined: [red('user0')] },
      { joined: [red('user1'), red('user2'), red('user3')], left: ['user0'] },
    ]);
  });

  it('does not tell of one who came and left before anybody knew', async () => {
    const { harness, bob, crowd } = await setUpCrowd(1);
    const [one] = crowd as [TestClient];
    await enter(one);
    await leave(one);
    await told(harness);
    expect(changes(bob)).toEqual([]);
    expect(harness.clock.pending).toBe(0);
  });

  it('tells of one who came and left when a new subscriber has been told that he is there', async () => {
    const { harness, bob, crowd } = await setUpCrowd(1);
    const [one] = crowd as [TestClient];
    await enter(one);
    const eve = await harness.connect('eve', [[1, 'room/a', {}]]);
    expect(eve.ofType(Type.subscribed)[0]?.[2].presence).toEqual([red('user0')]);
    await leave(one);
    await told(harness);
    expect(changes(eve)).toEqual([{ left: ['user0'] }]);
    expect(changes(bob)).toEqual([{ left: ['user0'] }]);
  });

  it('is told as staying where one left and came again in between', async () => {
    const { harness, bob, crowd } = await setUpCrowd(1);
    const [one] = crowd as [TestClient];
    await enter(one);
    await told(harness);
    await leave(one);
    await enter(one, 'blue');
    await told(harness);
    expect(changes(bob)).toEqual([
      { joined: [red('user0')] },
      { joined: [{ ...red('user0'), data: { color: 'blue' } }] },
    ]);
  });

  it('costs each subscriber a few frames where hundreds come and go within a second', async () => {
    const { harness, bob, crowd, ids } = await setUpCrowd(300, 20);
    for (const [at, client] of crowd.entries()) {
      client.request('room/a', '$enter', { color: 'red' });
      if (at % 3 === 0) await harness.clock.advance(10);
    }
    await harness.clock.advance(1_000);
    expect(changes(bob).flatMap(({ joined = [] }) => joined.map(({ id }) => id))).toEqual(ids);
    expect(changes(bob).length).toBeLessThan(20);
    const { length } = changes(bob);
    for (const client of crowd) close(client);
    await harness.clock.advance(1_000);
    expect(
      changes(bob)
        .slice(length)
        .flatMap(({ left = [] }) => left),
    ).toEqual(ids);
    expect(changes(bob).length).toBeLessThan(length + 4);
    expect(harness.clock.pending).toBe(0);
  });

  it.each([
    [1, 20],
    [300, 300],
    [50_000, 1_000],
  ])('waits the longer the more are told, up to a second: %i subscribers, %i ms', async (subscribers, ms) => {
    const { harness } = await setUpCrowd(2);
    const { channel, told } = channelOf(harness, subscribers);
    const enterBy = (user: string) => {
      for (const of of harness.app.users.sessionsOf(user)) channel.enter(of, { data: 1, json: '1' });
    };
    enterBy('user0');
    await harness.clock.advance(0);
    enterBy('user1');
    await harness.clock.advance(ms - 1);
    expect(told).toHaveLength(1);
    await harness.clock.advance(1);
    expect(told).toHaveLength(2);
  });

  it.each([
    ['at once where nobody is told', 0, 0],
    ['once it was told', 1, 20],
  ])('leaves nothing behind %s', async (_, subscribers, ms) => {
    const { harness } = await setUpCrowd(1);
    const { channel, idle } = channelOf(harness, subscribers);
    const [of] = harness.app.users.sessionsOf('user0');
    if (of === undefined) throw new Error('no session');
    channel.enter(of, { data: 1, json: '1' });
    await harness.clock.advance(20);
    channel.leave(of);
    if (ms > 0) expect(idle).toEqual([]);
    await harness.clock.advance(ms);
    expect(idle).toEqual(['idle']);
  });

  it('is told in parts where it is too much for one frame', async () => {
    const harness = openRoom({}, { limits: { lineBytes: 4_000 } });
    const bob = await harness.connect('bob', [[1, 'room/a', {}]]);
    const ids = Array.from({ length: 60 }, (_, i) => `user${i}`);
    for (const id of ids) await enter(await harness.connect(id), 'x'.repeat(100));
    await told(harness);
    expect(changes(bob).length).toBeGreaterThan(2);
    expect(changes(bob).every((change) => JSON.stringify(change).length < harness.limits.lineBytes)).toBe(true);
    expect(changes(bob).flatMap(({ joined = [] }) => joined.map(({ id }) => id))).toEqual(ids);
  });

  it('waits for nothing where nobody is told, nor once the server has closed', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann');
    await enter(ann);
    expect(harness.clock.pending).toBe(0);
    await harness.connect('bob', [[1, 'room/a', {}]]);
    await leave(ann);
    expect(harness.clock.pending).toBe(1);
    await harness.app.close();
    expect(harness.clock.pending).toBe(0);
  });
});
