import { Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import { Gates } from './gates.ts';
import { Harness, type TestClient } from './harness.ts';
import { openBoard } from './open-board.ts';
import { openRoom } from './open-room.ts';
import { turn } from './virtual-clock.ts';

describe('$auth', () => {
  it('replaces the identity of the session', async () => {
    const harness = openRoom({}, { application: { reauthenticate: () => ({ id: 'ann', name: 'Ann, still' }) } });
    const ann = await harness.connect({ id: 'ann', name: 'Ann' });
    expect(await ann.codeOf(ann.request('', '$auth', 'token'))).toBeNull();
    expect(ann.session.identity.name).toBe('Ann, still');
  });

  it('refuses credentials that authenticate refuses, and the session goes on', async () => {
    const ann = await openRoom().connect('ann');
    expect(await ann.codeOf(ann.request('', '$auth', 5))).toBe('unauthorized');
    expect(ann.session.ended).toBeNull();
  });

  it("ends the session that shows another user's credentials", async () => {
    const ann = await openRoom().connect('ann');
    const { session } = ann;
    ann.request('', '$auth', 'bob');
    await new Promise((resolve) => setImmediate(resolve));
    expect(session.ended).toBe('forbidden');
    expect(ann.ofType(Type.goaway).at(-1)?.[1]).toBe('forbidden');
  });
});

describe('$history', () => {
  const setUp = async () => {
    const harness = openRoom();
    const room = harness.app.channel('room/:roomId', { roomId: 'a' });
    for (let i = 1; i <= 5; i += 1) await room.broadcast('message', { text: String(i) });
    const ann = await harness.connect('ann');
    const page = async (query: unknown) => {
      const answer = await ann.answer(ann.request('room/a', '$history', query));
      return answer[2] as { epoch: string; head: number; complete: boolean; messages: { offset: number }[] };
    };
    return { harness, room, ann, page };
  };

  it('gives the newest messages as they were sent', async () => {
    const { ann, page, room } = await setUp();
    await ann.answer(ann.publish('room/a', 'note', 'from ann'));
    await room.broadcast('stamped', new Date(0));
    const { head, messages } = await page({ limit: 2 });
    expect(head).toBe(7);
    expect(messages).toEqual([
      { offset: 6, event: 'note', data: 'from ann', by: ann.session.client },
      { offset: 7, event: 'stamped', data: '1970-01-01T00:00:00.000Z' },
    ]);
  });

  it('goes back and forth by pages', async () => {
    const { page } = await setUp();
    const offsets = async (query: unknown) => (await page(query)).messages.map(({ offset }) => offset);
    const { epoch } = await page(null);
    expect(await offsets(null)).toEqual([1, 2, 3, 4, 5]);
    expect(await offsets({ limit: 2, before: 4 })).toEqual([2, 3]);
    expect(await offsets({ limit: 2, since: { epoch, offset: 1 } })).toEqual([2, 3]);
    expect((await page({ since: { epoch: 'other', offset: 1 } })).complete).toBe(false);
  });

  it('gives fewer messages than would be too long for an answer, but one at least', async () => {
    const harness = openRoom({}, { limits: { messageBytes: 1_000 } });
    const room = harness.app.channel('room/:roomId', { roomId: 'a' });
    for (let i = 1; i <= 5; i += 1) await room.broadcast('huge', 'x'.repeat(300));
    const ann = await harness.connect('ann');
    const answer = await ann.answer(ann.request('room/a', '$history'));
    expect((answer[2] as { messages: { offset: number }[] }).messages.map(({ offset }) => offset)).toEqual([5]);
  });

  it.each([{ limit: 0 }, { limit: 'all' }, { before: -1 }, { since: 5 }, { since: { epoch: 1, offset: 1 } }])(
    'refuses the query %o',
    async (query) => {
      const { ann } = await setUp();
      expect(await ann.codeOf(ann.request('room/a', '$history', query))).toBe('validation_failed');
    },
  );

  it('is not there for a channel without history', async () => {
    const { ann } = await setUp();
    expect(await ann.codeOf(ann.request('ticker', '$history'))).toBe('unknown_method');
  });
});

describe('$members', () => {
  const setUp = async (count: number, limits = {}) => {
    const harness = openRoom({}, { limits });
    for (let i = 0; i < count; i += 1) {
      const client = await harness.connect(`user${i}`);
      await client.answer(client.request('room/a', '$enter', { color: 'red' }));
    }
    const ann = await harness.connect('ann');
    const ids = async (query?: unknown) =>
      ((await ann.answer(ann.request('room/a', '$members', query)))[2] as { id: string }[]).map(({ id }) => id);
    return { ann, ids };
  };

  it('lists who is there, in the order in which they came', async () => {
    const { ann } = await setUp(2);
    expect((await ann.answer(ann.request('room/a', '$members')))[2]).toEqual([
      { id: 'user0', data: { color: 'red' }, connected: true },
      { id: 'user1', data: { color: 'red' }, connected: true },
    ]);
  });

  it('goes through them by pages', async () => {
    const { ids } = await setUp(5);
    expect(await ids({ limit: 2 })).toEqual(['user0', 'user1']);
    expect(await ids({ skip: 2, limit: 2 })).toEqual(['user2', 'user3']);
    expect(await ids({ skip: 4 })).toEqual(['user4']);
    expect(await ids({ skip: 5 })).toEqual([]);
  });

  it('refuses a list that is too long, and gives pages of it that are not', async () => {
    const { ann, ids } = await setUp(50, { messageBytes: 1_000 });
    const [, , code, message] = await ann.answer(ann.request('room/a', '$members'));
    expect(code).toBe('payload_too_large');
    expect(message).toContain('{skip, limit}');
    const page = await ids({ skip: 10 });
    expect(page.length).toBeGreaterThan(1);
    expect(page.length).toBeLessThan(20);
    expect(page[0]).toBe('user10');
  });

  it.each([{ limit: 0 }, { limit: 1.5 }, { skip: -1 }, { skip: 'x' }])('refuses the query %o', async (query) => {
    const { ann } = await setUp(0);
    expect(await ann.codeOf(ann.request('room/a', '$members', query))).toBe('validation_failed');
  });
});

describe('$occupancy', () => {
  it('counts, with presence and without', async () => {
    const harness = openRoom();
    const ann = await harness.connect('ann', [
      [1, 'room/a', {}],
      [2, 'ticker', {}],
    ]);
    const bob = await harness.connect('bob', [[1, 'room/a', {}]]);
    await bob.answer(bob.request('room/a', '$enter', { color: 'red' }));
    expect((await ann.answer(ann.request('room/a', '$occupancy')))[2]).toEqual({ members: 1, subscribers: 2 });
    expect((await ann.answer(ann.request('ticker', '$occupancy')))[2]).toEqual({ members: 0, subscribers: 1 });
    expect((await ann.answer(ann.request('room/b', '$occupancy')))[2]).toEqual({ members: 0, subscribers: 0 });
  });

  it.each(['$occupancy', '$members', '$history'])('%s is for those who may subscribe', async (method) => {
    const asked: string[] = [];
    const harness = openRoom({
      authorize: ({ action }) => {
        asked.push(action);
        return action !== 'subscribe';
      },
    });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(ann.request('room/a', method))).toBe('forbidden');
    expect(asked).toEqual(['subscribe']);
  });
});

describe('$snapshot', () => {
  const ask = async (client: TestClient) => (await client.answer(client.request('board/a', '$snapshot')))[2];
  const board = (harness: Harness) => harness.app.channel('board/:boardId', { boardId: 'a' });

  it('gives the state as the schema puts it, and its position', async () => {
    const harness = openBoard({ snapshot: async () => new Date(5) });
    const position = await board(harness).broadcast('moved', 1);
    const ann = await harness.connect('ann');
    expect(await ask(ann)).toEqual({ ...position, data: 5 });
  });

  it('takes the position before it reads: what happens meanwhile comes after it', async () => {
    const harness = openBoard({
      snapshot: async ({ channel }) => {
        await channel.broadcast('moved', 2);
        return new Date(5);
      },
    });
    await board(harness).broadcast('moved', 1);
    const ann = await harness.connect('ann');
    expect(await ask(ann)).toMatchObject({ offset: 1, data: 5 });
  });

  it('is for those who may subscribe', async () => {
    const ann = await openBoard({ authorize: ({ action }) => action !== 'subscribe' }).connect('ann');
    expect(await ann.codeOf(ann.request('board/a', '$snapshot'))).toBe('forbidden');
  });

  it('is not there where the contract declares none', async () => {
    const ann = await openRoom().connect('ann');
    expect((await ann.answer(ann.request('room/a', '$snapshot'))).slice(2, 4)).toEqual([
      'unknown_method',
      'room/:roomId declares no snapshot in the contract of this server',
    ]);
  });

  it('blames the server for a state that its schema refuses', async () => {
    const harness = openBoard({ snapshot: () => 'now' });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(ann.request('board/a', '$snapshot'))).toBe('handler_failed');
    expect(harness.errors).toMatchObject([{ error: { code: 'validation_failed' }, context: { method: '$snapshot' } }]);
  });

  it('stops the handler when it is canceled', async () => {
    let signal: AbortSignal | undefined;
    const snapshot = (context: { signal: AbortSignal }) => {
      signal = context.signal;
      return new Promise(() => {});
    };
    const harness = openBoard({ snapshot });
    const ann = await harness.connect('ann');
    const id = ann.request('board/a', '$snapshot');
    await turn();
    ann.send([Type.cancel, id]);
    expect(await ann.codeOf(id)).toBe('canceled');
    expect(signal?.aborted).toBe(true);
    expect(harness.clock.pending).toBe(0);
  });
});

describe('a broker that does not answer', () => {
  it.each(['$history', '$snapshot'])('is what %s fails with, and what the app is told', async (method) => {
    const gates = new Gates();
    const harness = openBoard({}, { latency: gates.latency });
    const ann = await harness.connect('ann');
    gates.hold('read');
    const id = ann.request('board/a', method);
    await turn();
    gates.fail('read');
    expect(await ann.codeOf(id)).toBe('broker_failed');
    expect(harness.errors).toMatchObject([{ error: { code: 'broker_failed' }, context: { channel: 'board/a' } }]);
  });
});

describe('credentials that expire', () => {
  it('are asked for again in time, and end the session where they do not come', async () => {
    const harness = new Harness();
    const ann = await harness.connect({ id: 'ann', expiresInMs: 100_000 });
    const { session } = ann;
    await harness.clock.advance(75_000);
    expect(ann.ofType(Type.refresh)).toEqual([[5, 25_000]]);
    await harness.clock.advance(25_000);
    expect(session.ended).toBe('credentials_expired');
    expect(harness.clock.pending).toBe(0);
  });

  it('are good for as long again when they have come', async () => {
    const reauthenticate = () => ({ id: 'ann', expiresInMs: 100_000 });
    const harness = new Harness({ application: { reauthenticate } });
    const ann = await harness.connect({ id: 'ann', expiresInMs: 100_000 });
    await harness.clock.advance(80_000);
    expect(await ann.codeOf(ann.request('', '$auth', 'fresh'))).toBeNull();
    await harness.clock.advance(80_000);
    expect(ann.session.ended).toBeNull();
    expect(ann.ofType(Type.refresh)).toHaveLength(2);
  });

  it('leave no timer behind when the session ends', async () => {
    const harness = new Harness();
    const ann = await harness.connect({ id: 'ann', expiresInMs: 100_000 });
    ann.send([Type.goaway, 'closed', '', 0]);
    expect(harness.clock.pending).toBe(0);
  });
});
