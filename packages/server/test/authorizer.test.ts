import { RunnelError, Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import type { AuthorizeRequest } from '../src/channels/access.ts';
import type { TestUser } from './harness.ts';
import { openRoom } from './open-room.ts';
import { turn } from './virtual-clock.ts';

type Asked = AuthorizeRequest<TestUser>;

describe('authorize', () => {
  it('is asked before everything, with who, what and where', async () => {
    const asked: Asked[] = [];
    const harness = openRoom({
      authorize: (request) => {
        asked.push(request);
        return true;
      },
    });
    const ann = await harness.connect({ id: 'ann', name: 'Ann' });
    await ann.answer(ann.subscribe('room/a%2Fb'));
    await ann.answer(ann.publish('room/a', 'message', { text: 'x' }));
    await ann.answer(ann.request('room/a', 'count'));
    await ann.answer(ann.request('room/a', '$enter', { color: 'red' }));
    await ann.answer(ann.request('room/a', '$history'));
    ann.send([Type.volatile, 'room/a', 'typing', { name: 'ann' }]);
    await turn();
    expect(asked.map(({ action, event, method }) => [action, event, method])).toEqual([
      ['subscribe', undefined, undefined],
      ['publish', 'message', undefined],
      ['request', undefined, 'count'],
      ['presence', undefined, undefined],
      ['subscribe', undefined, undefined],
      ['publish', 'typing', undefined],
    ]);
    expect(asked[0]).toMatchObject({
      user: { id: 'ann', name: 'Ann' },
      params: { roomId: 'a/b' },
      channel: 'room/a%2Fb',
    });
    expect(asked[0]?.session.client).toBe(ann.session.client);
  });

  it('refuses whatever it does not answer with true', async () => {
    for (const answer of [false, undefined, null, 1, 'yes', {}] as never[]) {
      const ann = await openRoom({ authorize: () => answer }).connect('ann');
      expect(await ann.codeOf(ann.subscribe('room/a'))).toBe('forbidden');
      expect(await ann.codeOf(ann.publish('room/a', 'message', { text: 'x' }))).toBe('forbidden');
      expect(await ann.codeOf(ann.request('room/a', 'count'))).toBe('forbidden');
      expect(await ann.codeOf(ann.request('room/a', '$enter', { color: 'red' }))).toBe('forbidden');
      expect(await ann.codeOf(ann.request('room/a', '$history'))).toBe('forbidden');
      expect(await ann.codeOf(ann.request('room/a', '$members'))).toBe('forbidden');
    }
  });

  it('refuses where it throws, and the app is told', async () => {
    const harness = openRoom({ authorize: () => Promise.reject(new Error('the database is down')) });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(ann.subscribe('room/a'))).toBe('handler_failed');
    expect(harness.errors).toMatchObject([{ context: { during: 'authorize', channel: 'room/a', user: 'ann' } }]);
  });

  it('refuses with a code of its own', async () => {
    const authorize = () => {
      throw new RunnelError('overloaded', 'come back later');
    };
    const ann = await openRoom({ authorize }).connect('ann');
    const answer = await ann.answer(ann.subscribe('room/a'));
    expect(answer.slice(2)).toEqual(['overloaded', 'come back later', true]);
  });

  it('is asked before the payload is looked at', async () => {
    const ann = await openRoom({ authorize: () => false }).connect('ann');
    expect(await ann.codeOf(ann.publish('room/a', 'message', 5))).toBe('forbidden');
  });
});

describe('a right that is lost', () => {
  const setUp = async () => {
    const allowed = new Set(['subscribe', 'presence']);
    const harness = openRoom({ authorize: ({ action }) => allowed.has(action) });
    const [ann, bob] = [await harness.connect('ann'), await harness.connect('bob')];
    await ann.answer(ann.subscribe('room/a'));
    await ann.answer(ann.subscribe('ticker'));
    await bob.answer(bob.subscribe('room/a'));
    await ann.answer(ann.request('room/a', '$enter', { color: 'red' }));
    await harness.clock.advance(20);
    return { allowed, harness, ann, bob };
  };

  it('ends the subscription when the session is resumed', async () => {
    const { allowed, harness, ann } = await setUp();
    ann.cut();
    allowed.clear();
    await ann.resume();
    expect(ann.ofType(Type.revoked)).toMatchObject([[26, 1, 'forbidden', 'you may not subscribe to room/a']]);
    await harness.app.channel('room/:roomId', { roomId: 'a' }).broadcast('message', { text: 'secret' });
    await harness.app.channel('ticker', {}).broadcast('quote', 1);
    await turn();
    expect(ann.messages).toEqual([1]);
  });

  it('ends the subscription when the server asks again', async () => {
    const { allowed, harness, ann, bob } = await setUp();
    allowed.clear();
    await Promise.all(harness.app.users.sessionsOf('ann').map((of) => harness.app.reauthorize(of)));
    await harness.clock.advance(20);
    expect(ann.ofType(Type.revoked)).toHaveLength(1);
    expect(bob.ofType(Type.revoked)).toHaveLength(0);
    expect(bob.ofType(Type.presence).at(-1)?.[2]).toEqual({ left: ['ann'] });
  });

  it('ends the subscription when the credentials are refreshed', async () => {
    const { allowed, ann } = await setUp();
    allowed.clear();
    expect(await ann.codeOf(ann.request('', '$auth', 'ann'))).toBeNull();
    expect(ann.ofType(Type.revoked)).toHaveLength(1);
  });

  it('to be present ends that alone', async () => {
    const { allowed, harness, ann, bob } = await setUp();
    allowed.delete('presence');
    await ann.answer(ann.request('', '$auth', 'ann'));
    await harness.clock.advance(20);
    expect(ann.ofType(Type.revoked)).toHaveLength(0);
    expect(bob.ofType(Type.presence).at(-1)?.[2]).toEqual({ left: ['ann'] });
  });

  it('may be had again by subscribing again', async () => {
    const { allowed, ann } = await setUp();
    allowed.clear();
    await ann.answer(ann.request('', '$auth', 'ann'));
    allowed.add('subscribe');
    expect(await ann.codeOf(ann.subscribe('room/a'))).toBeNull();
  });
});
