import { Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import { openRoom } from './open-room.ts';
import { turn } from './virtual-clock.ts';

async function setUp(room: Parameters<typeof openRoom>[0] = {}) {
  const harness = openRoom(room);
  const [ann, bob] = [await harness.connect('ann'), await harness.connect('bob')];
  for (const client of [ann, bob]) await client.answer(client.subscribe('room/a'));
  return { harness, ann, bob };
}

describe('a volatile message', () => {
  it('is relayed to the others, uncounted', async () => {
    const { ann, bob } = await setUp();
    const { tx } = bob.session.ledger;
    ann.send([Type.volatile, 'room/a', 'typing', { name: 'Ann' }]);
    await turn();
    expect(bob.ofType(Type.volatile)).toEqual([[9, 1, 3, { name: 'Ann' }, { by: ann.session.client }]]);
    expect(ann.ofType(Type.volatile)).toEqual([]);
    expect(bob.session.ledger.tx).toBe(tx);
  });

  it('of the server reaches everyone, and has no position', async () => {
    const { harness, ann, bob } = await setUp();
    const room = harness.app.channel('room/:roomId', { roomId: 'a' });
    expect(await room.broadcast('typing', { name: 'server' })).toBeNull();
    await turn();
    for (const client of [ann, bob]) expect(client.ofType(Type.volatile)).toEqual([[9, 1, 3, { name: 'server' }]]);
  });

  it('goes to its handler where the contract gives it one', async () => {
    const seen: unknown[] = [];
    const { harness, ann } = await setUp({ publish: { nudge: ({ data, user }) => void seen.push([data, user.id]) } });
    ann.send([Type.volatile, 'room/a', 'nudge', 'hey']);
    await turn();
    expect(seen).toEqual([['hey', 'ann']]);
    expect(harness.errors).toEqual([]);
  });

  it('is dropped without a word where it may not be', async () => {
    const { harness, ann, bob } = await setUp({ authorize: ({ action }) => action === 'subscribe' });
    const before = ann.frames.length;
    ann.send([Type.volatile, 'room/a', 'typing', { name: 'Ann' }]);
    ann.send([Type.volatile, 'room/a', 'message', { text: 'counted' }]);
    ann.send([Type.volatile, 'room/a', '__proto__', {}]);
    ann.send([Type.volatile, 'nowhere', 'typing', {}]);
    await turn();
    expect(bob.ofType(Type.volatile)).toEqual([]);
    expect(bob.messages).toEqual([]);
    expect(ann.frames.length).toBe(before);
    expect(harness.errors).toEqual([]);
  });

  it('is dropped where its schema refuses it', async () => {
    const { harness, ann, bob } = await setUp();
    ann.send([Type.volatile, 'room/a', 'typing', { name: 5 }]);
    await turn();
    expect(bob.ofType(Type.volatile)).toEqual([]);
    expect(harness.errors).toEqual([]);
  });

  it('of a handler that throws is told to the app only', async () => {
    const { harness, ann } = await setUp({ publish: { nudge: () => Promise.reject(new Error('x')) } });
    ann.send([Type.volatile, 'room/a', 'nudge', 'hey']);
    await turn();
    expect(harness.errors).toMatchObject([{ context: { during: 'publish', event: 'nudge' } }]);
    expect(ann.ofType(Type.error)).toEqual([]);
  });

  it('is dropped while too many of the session are under way', async () => {
    let runs = 0;
    const { ann } = await setUp({ publish: { nudge: () => new Promise(() => void runs++) } });
    for (let i = 0; i < 100; i += 1) ann.send([Type.volatile, 'room/a', 'nudge', 'hey']);
    await turn();
    expect(runs).toBe(64);
  });

  it('is refused where it would not fit into one frame', async () => {
    const { harness } = await setUp();
    const room = harness.app.channel('room/:roomId', { roomId: 'a' });
    await expect(room.broadcast('typing', { name: 'x'.repeat(70_000) })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
  });
});
