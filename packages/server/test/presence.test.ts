import { Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import type { TestClient } from './harness.ts';
import { openRoom } from './open-room.ts';
import { turn } from './virtual-clock.ts';

const enter = (client: TestClient, color = 'red', channel = 'room/a') =>
  client.codeOf(client.request(channel, '$enter', { color }));
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
    const { ann, bob, room } = await setUp();
    expect(await enter(ann)).toBeNull();
    expect(await enter(ann, 'blue')).toBeNull();
    expect(await room.presence.members()).toEqual([{ id: 'ann', data: { color: 'blue' }, connected: true }]);
    expect(await ann.codeOf(ann.request('room/a', '$leave'))).toBeNull();
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
    await eve.answer(eve.subscribe('ticker'));
    expect(eve.ofType(Type.subscribed)[1]?.[2]).not.toHaveProperty('presence');
  });

  it('is told in parts where it is too long for one frame', async () => {
    const harness = openRoom({}, { limits: { messageBytes: 8_000 } });
    for (let i = 0; i < 50; i += 1) await enter(await harness.connect(`user${i}`), 'x'.repeat(100));
    const eve = await harness.connect('eve', [[1, 'room/a', {}]]);
    const first = eve.ofType(Type.subscribed)[0]?.[2].presence ?? [];
    const rest = changes(eve).flatMap(({ joined = [] }) => joined);
    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThan(20);
    expect([...first, ...rest].map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, i) => `user${i}`));
  });

  it('counts the sessions of one user as one member, who leaves with the last', async () => {
    const { harness, ann, bob, room } = await setUp();
    const second = await harness.connect('ann');
    await enter(ann);
    await enter(second);
    expect(await room.occupancy()).toEqual({ subscribers: 1, members: 1 });
    await ann.answer(ann.request('room/a', '$leave'));
    expect(changes(bob).flatMap(({ left = [] }) => left)).toEqual([]);
    second.send([Type.goaway, 'closed', '', 0]);
    await turn();
    expect(changes(bob).at(-1)).toEqual({ left: ['ann'] });
  });

  it('says connected: false while the session has no link, and leaves when it expires', async () => {
    const { harness, ann, bob } = await setUp();
    await enter(ann);
    ann.cut();
    await turn();
    expect(changes(bob).at(-1)).toEqual({ joined: [red('ann', false)] });
    await ann.resume();
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
    const told = changes(bob).length;
    ann.cut();
    await turn();
    expect(changes(bob)).toHaveLength(told);
    second.cut();
    await turn();
    expect(changes(bob).at(-1)).toEqual({ joined: [red('ann', false)] });
  });

  it('ends with an explicit close at once, and with unsubscribe', async () => {
    const { ann, bob } = await setUp();
    await ann.answer(ann.subscribe('room/a'));
    await enter(ann);
    ann.send([Type.unsubscribe, 'room/a']);
    await turn();
    expect(changes(bob).at(-1)).toEqual({ left: ['ann'] });
    await enter(ann);
    ann.send([Type.goaway, 'closed', '', 0]);
    await turn();
    expect(changes(bob).at(-1)).toEqual({ left: ['ann'] });
  });

  it('is what the server makes of what a client enters with', async () => {
    const { harness, ann, bob } = await setUp();
    await bob.answer(bob.subscribe('user/7'));
    await ann.answer(ann.request('user/7', '$enter', { device: 'phone', name: 'forged' }));
    expect(changes(bob)).toEqual([{ joined: [{ id: 'ann', data: { name: 'ann on phone' }, connected: true }] }]);
    expect(harness.errors).toEqual([]);
  });

  it('refuses data that its schema refuses', async () => {
    const { ann, bob } = await setUp();
    expect(await ann.codeOf(ann.request('room/a', '$enter', { color: 1 }))).toBe('validation_failed');
    expect(await ann.codeOf(ann.request('room/a', '$enter', { color: 'x'.repeat(20_000) }))).toBe('payload_too_large');
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

  it('is listed on request', async () => {
    const { ann } = await setUp();
    await enter(ann);
    expect((await ann.answer(ann.request('room/a', '$members')))[2]).toEqual([red('ann')]);
  });

  it('is bounded for each session', async () => {
    const harness = openRoom({}, { limits: { channels: 2 } });
    const ann = await harness.connect('ann');
    expect(await enter(ann, 'red', 'room/a')).toBeNull();
    expect(await enter(ann, 'red', 'room/b')).toBeNull();
    expect(await enter(ann, 'red', 'room/c')).toBe('limit_reached');
    await ann.answer(ann.request('room/a', '$leave'));
    expect(await enter(ann, 'red', 'room/c')).toBeNull();
  });

  it('leaves no ghost of a session that ended while it entered', async () => {
    let admit = (): void => {};
    const harness = openRoom({
      presence: ({ data }: { data: unknown }) => new Promise((resolve) => (admit = () => resolve(data))),
    });
    const ann = await harness.connect('ann');
    ann.request('room/a', '$enter', { color: 'red' });
    await turn();
    ann.send([Type.goaway, 'closed', '', 0]);
    admit();
    await turn();
    expect(await harness.app.channel('room/:roomId', { roomId: 'a' }).presence.members()).toEqual([]);
  });
});
