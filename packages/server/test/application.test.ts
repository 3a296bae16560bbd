import { Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import type { SessionInfo } from '../src/channels/access.ts';
import type { TestUser } from './harness.ts';
import { openRoom } from './open-room.ts';
import { turn } from './virtual-clock.ts';

describe('sessions', () => {
  it('are told to the app from the first word of their client to their end', async () => {
    const told: string[] = [];
    const harness = openRoom(
      {},
      {
        application: {
          onSession: ({ user }) => told.push(`${user.id} is here`),
          onSessionEnd: ({ user, connected }, code) => told.push(`${user.id} is gone: ${code}, ${connected}`),
        },
      },
    );
    const ann = await harness.connect('ann');
    const silent = await harness.connect('bob');
    expect(told).toEqual([]);
    await ann.answer(ann.subscribe('ticker'));
    expect(told).toEqual(['ann is here']);
    ann.send([Type.goaway, 'closed', '', 0]);
    silent.cut();
    await harness.advance(harness.limits.provisionalMs);
    expect(told).toEqual(['ann is here', 'ann is gone: closed, false']);
  });

  it.each([
    [
      'throw',
      () => {
        throw new Error('no');
      },
    ],
    ['reject', () => Promise.reject(new Error('no'))],
  ])('survive hooks that %s', async (_, onSession) => {
    const harness = openRoom({}, { application: { onSession } });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(ann.subscribe('ticker'))).toBeNull();
    expect(harness.errors).toMatchObject([{ context: { during: 'hook' } }]);
  });

  it('are found by user, and may be kicked', async () => {
    const harness = openRoom();
    const [one, two] = [await harness.connect('ann'), await harness.connect('ann')];
    await harness.connect('bob');
    const found = harness.app.users.sessionsOf('ann').map(({ info }) => info);
    expect(found.map(({ client }) => client)).toEqual([one.session.client, two.session.client]);
    const { session } = one;
    found[0]?.kick('enough');
    expect(session.ended).toBe('kicked');
    expect(one.ofType(Type.goaway)).toEqual([[4, 'kicked', 'enough', 0]]);
    expect(harness.app.users.sessionsOf('ann')).toHaveLength(1);
    expect(harness.app.users.sessionsOf('constructor')).toEqual([]);
  });

  it('are described by their handle', async () => {
    let seen: SessionInfo<TestUser> | undefined;
    const count = ({ session }: { session: SessionInfo<TestUser> }) => {
      seen = session;
      return 1;
    };
    const harness = openRoom({ requests: { count } });
    const ann = await harness.connect({ id: 'ann', name: 'Ann' });
    await ann.answer(ann.request('room/a', 'count'));
    expect(seen).toMatchObject({
      client: ann.session.client,
      user: { name: 'Ann' },
      transport: 'websocket',
      connected: true,
      channels: [],
    });
    await ann.answer(ann.subscribe('room/b'));
    await ann.answer(ann.subscribe('ticker'));
    expect(seen?.channels).toEqual(['room/b', 'ticker']);
    ann.subscribe('room/c');
    ann.send([Type.unsubscribe, 'room/b']);
    expect(seen?.channels).toEqual(['ticker']);
    ann.cut();
    expect(seen?.connected).toBe(false);
    expect(Object.keys(seen ?? {})).toEqual([]);
  });

  it('that are lost leave nothing behind', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    await ann.answer(ann.request('room/a', '$enter', { color: 'red' }));
    ann.cut();
    await harness.advance(harness.limits.ttlMs);
    expect(harness.app.stats).toEqual({ channels: 0, subscriptions: 0, calls: 0 });
    expect(harness.app.users.sessionsOf('ann')).toEqual([]);
    expect(harness.clock.pending).toBe(0);
  });
});

describe('broadcast', () => {
  const room = (harness: ReturnType<typeof openRoom>) => harness.app.channel('room/:roomId', { roomId: 'a' });

  it('resolves to the position of the message', async () => {
    const harness = openRoom();
    const first = await room(harness).broadcast('message', { text: 'x' });
    expect(first).toMatchObject({ offset: 1 });
    expect(await room(harness).broadcast('message', { text: 'x' })).toEqual({ ...first, offset: 2 });
  });

  it('sends the wire form of what the schema makes of it', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    await room(harness).broadcast('stamped', '2026-01-01');
    await room(harness).broadcast('message', { text: '  trimmed  ' });
    await turn();
    expect(ann.messages).toEqual(['2026-01-01T00:00:00.000Z', { text: 'trimmed' }]);
  });

  it.each([
    ['nothing', 'x', 'unknown_event'],
    ['message', {}, 'validation_failed'],
    ['huge', 'x'.repeat(2_000), 'payload_too_large'],
  ])('of %s rejects with its code, and is told to the app where nobody awaits it', async (event, data, code) => {
    const harness = openRoom({}, { limits: { messageBytes: 1_000 } });
    void room(harness).broadcast(event, data);
    await turn();
    expect(harness.errors).toMatchObject([{ error: { code }, context: { during: 'broadcast', channel: 'room/a' } }]);
    await expect(room(harness).broadcast(event, data)).rejects.toMatchObject({ code });
  });

  it('keeps the order in which it was called', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    for (let i = 0; i < 100; i += 1) void room(harness).broadcast('note', String(i));
    await turn();
    expect(ann.messages).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
  });

  it('carries bytes', async () => {
    const harness = openRoom();
    const bytes = new Uint8Array([1, 2, 3]);
    const contextual = openRoom({ requests: { late: () => 'x' } });
    expect(contextual.errors).toEqual([]);
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    await harness.broker.publish('room/a', { event: 'note', data: '{"$b":"AQID"}' }, { history: null });
    await turn();
    expect(ann.messages).toEqual([bytes]);
  });

  it('to a channel that cannot be throws at once', () => {
    const { app } = openRoom();
    expect(() => app.channel('room/:roomId', { roomId: '' })).toThrow(
      expect.objectContaining({ code: 'channel_invalid' }),
    );
    expect(() => app.channel('nowhere', {})).toThrow(expect.objectContaining({ code: 'channel_invalid' }));
  });

  it('of an event that this node does not know is said to be skipped', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    await harness.broker.publish('room/a', { event: 'newer', data: '1' }, { history: null });
    await room(harness).broadcast('note', 'x');
    await turn();
    expect(ann.ofType(Type.skipped)).toEqual([[23, 1, 1, 1]]);
    expect(ann.offsets).toEqual([2]);
  });
});

describe('drain', () => {
  it('refuses new calls and resolves when those under way are answered', async () => {
    let finish = (): void => {};
    const harness = openRoom({ requests: { count: () => new Promise((resolve) => (finish = () => resolve(1))) } });
    const ann = await harness.connect('ann');
    const id = ann.request('room/a', 'count');
    await turn();
    let drained = false;
    void harness.app.drain(60_000).then(() => {
      drained = true;
    });
    expect(await ann.codeOf(ann.request('room/a', 'count'))).toBe('server_closing');
    expect(drained).toBe(false);
    finish();
    await turn();
    expect(drained).toBe(true);
    expect(await ann.codeOf(id)).toBeNull();
  });

  it('waits no longer than it is told', async () => {
    const harness = openRoom({ requests: { count: () => new Promise(() => {}) } });
    const ann = await harness.connect('ann');
    ann.request('room/a', 'count');
    await turn();
    let drained = false;
    void harness.app.drain(1_000).then(() => {
      drained = true;
    });
    await harness.clock.advance(1_000);
    expect(drained).toBe(true);
  });
});
