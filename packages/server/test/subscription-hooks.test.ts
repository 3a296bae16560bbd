import { channel, defineContract, Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import type { SessionInfo } from '../src/channels/access.ts';
import { Gates } from './gates.ts';
import { Harness, type HarnessOptions, type TestClient, type TestUser } from './harness.ts';
import { text } from './schemas.ts';
import { turn } from './virtual-clock.ts';

const contract = defineContract({
  'room/:roomId': channel({ events: { note: text }, history: { size: 10, ttl: '1h' } }),
});

interface Context {
  readonly user: TestUser;
  readonly params: { readonly roomId: string };
  readonly channel: { broadcast(event: string, data: unknown): Promise<unknown> };
  readonly session: SessionInfo<TestUser>;
  readonly reason?: string;
}
type Hook = (context: Context) => unknown;

/** A harness whose hooks write down what they are told. */
function setUp({ onSubscribe, onLeave, ...options }: HarnessOptions & { onSubscribe?: Hook; onLeave?: Hook } = {}) {
  const told: string[] = [];
  const access = { allowed: true };
  const harness = new Harness({
    contract,
    application: {
      onSession: ({ user }) => told.push(`${user.id} is here`),
      onSessionEnd: ({ user }, code) => told.push(`${user.id} is gone: ${code}`),
    },
    ...options,
  });
  harness.app.handlers.add('room/:roomId', {
    authorize: () => access.allowed,
    onSubscribe: (context: Context) => {
      told.push(`${context.user.id} follows ${context.params.roomId}`);
      return onSubscribe?.(context);
    },
    onLeave: (context: Context) => {
      told.push(`${context.user.id} leaves ${context.params.roomId}: ${context.reason}`);
      return onLeave?.(context);
    },
  });
  const say = (note: string) => harness.app.channel('room/:roomId', { roomId: 'a' }).broadcast('note', note);
  return { harness, told, access, say };
}

/** A client that the server has heard of. */
async function present(harness: Harness): Promise<TestClient> {
  const ann = await harness.connect('ann');
  ann.ack();
  return ann;
}

describe('onSubscribe and onLeave', () => {
  it('are called once for a subscription, from its answer to its end', async () => {
    const { harness, told } = setUp();
    const ann = await present(harness);
    await ann.answer(ann.subscribe('room/a'));
    ann.send([Type.unsubscribe, 'room/a']);
    ann.send([Type.unsubscribe, 'room/a']);
    await turn();
    await ann.answer(ann.subscribe('room/a', { rewind: 1 }));
    ann.send([Type.goaway, 'closed', '', 0]);
    await turn();
    expect(told).toEqual([
      'ann is here',
      'ann follows a',
      'ann leaves a: unsubscribed',
      'ann follows a',
      'ann leaves a: closed',
      'ann is gone: closed',
    ]);
  });

  it('find the session as it was told: what onSubscribe broadcasts reaches it', async () => {
    const { harness, say } = setUp({ onSubscribe: ({ channel: room }) => room.broadcast('note', 'welcome') });
    await say('before');
    const ann = await present(harness);
    await ann.answer(ann.subscribe('room/a'));
    await turn();
    const counted = ann.frames.map(([type]) => type).filter((type) => type >= Type.message);
    expect(counted).toEqual([Type.subscribed, Type.message]);
    expect(ann.messages).toEqual(['welcome']);
    await ann.answer(ann.subscribe('room/b', { rewind: 5 }));
    await turn();
    expect(ann.messages).toEqual(['welcome', 'welcome']);
  });

  it('are not called for a subscription that takes the place of another', async () => {
    const { harness, told, say } = setUp();
    const ann = await present(harness);
    await ann.answer(ann.subscribe('room/a'));
    await say('x');
    const { epoch = '' } = ann.ofType(Type.subscribed)[0]?.[2] ?? {};
    await ann.answer(ann.subscribe('room/a', { since: { epoch, offset: 0 } }));
    expect(told).toEqual(['ann is here', 'ann follows a']);
    ann.send([Type.unsubscribe, 'room/a']);
    await turn();
    expect(told.slice(2)).toEqual(['ann leaves a: unsubscribed']);
  });

  it('are not called for what never was', async () => {
    const gates = new Gates();
    const { harness, told, access } = setUp({ latency: gates.latency });
    const ann = await present(harness);
    access.allowed = false;
    expect(await ann.codeOf(ann.subscribe('room/a'))).toBe('forbidden');
    access.allowed = true;
    gates.hold('subscribe');
    ann.subscribe('room/a');
    await turn();
    ann.send([Type.unsubscribe, 'room/a']);
    gates.release('subscribe');
    await turn();
    expect(told).toEqual(['ann is here']);
  });

  it('say why a subscription was taken away', async () => {
    const { harness, told, access } = setUp();
    const ann = await present(harness);
    await ann.answer(ann.subscribe('room/a'));
    access.allowed = false;
    for (const of of harness.app.users.sessionsOf('ann')) await harness.app.reauthorize(of);
    await turn();
    expect(told.slice(2)).toEqual(['ann leaves a: forbidden']);
  });

  it('say so when the one that takes the place of another fails', async () => {
    const gates = new Gates();
    const { harness, told, say } = setUp({ latency: gates.latency });
    const ann = await present(harness);
    await ann.answer(ann.subscribe('room/a'));
    await say('x');
    const { epoch = '' } = ann.ofType(Type.subscribed)[0]?.[2] ?? {};
    gates.hold('read');
    const id = ann.subscribe('room/a', { since: { epoch, offset: 0 } });
    await turn();
    gates.fail('read');
    expect(await ann.codeOf(id)).toBe('broker_failed');
    expect(told.slice(2)).toEqual(['ann leaves a: broker_failed']);
  });

  it('wait until the client was heard of, and are not called where it never is', async () => {
    const { harness, told } = setUp();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    const bob = await harness.connect('bob', [[1, 'room/a', {}]]);
    await turn();
    expect(told).toEqual([]);
    ann.ack();
    bob.cut();
    await turn();
    await harness.advance(harness.limits.provisionalMs);
    expect(told).toEqual(['ann is here', 'ann follows a']);
  });

  it('keep their order where both come at once', async () => {
    const { harness, told } = setUp();
    const ann = await harness.connect('ann', [[1, 'room/a', {}]]);
    ann.ack();
    ann.send([Type.unsubscribe, 'room/a']);
    await turn();
    expect(told).toEqual(['ann is here', 'ann follows a', 'ann leaves a: unsubscribed']);
  });

  it.each([
    [
      'throw',
      (name: string) => {
        throw new Error(name);
      },
    ],
    ['reject', (name: string) => Promise.reject(new Error(name))],
  ])('change nothing when they %s, but the app is told', async (_, fail) => {
    const { harness, say } = setUp({ onSubscribe: () => fail('in'), onLeave: () => fail('out') });
    const ann = await present(harness);
    await ann.answer(ann.subscribe('room/a'));
    await say('x');
    await turn();
    expect(ann.messages).toEqual(['x']);
    ann.send([Type.unsubscribe, 'room/a']);
    await turn();
    const context = { during: 'hook', channel: 'room/a', user: 'ann' };
    expect(harness.errors).toMatchObject([
      { error: { message: 'in' }, context },
      { error: { message: 'out' }, context },
    ]);
  });
});
