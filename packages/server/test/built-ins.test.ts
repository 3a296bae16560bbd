import { Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import { Harness } from './harness.ts';
import { openRoom } from './open-room.ts';

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
