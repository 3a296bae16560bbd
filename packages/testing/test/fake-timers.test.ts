import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createTestClient, next } from '../src/index.ts';
import { ALICE, BOB, startChat } from './chat-server.ts';

// Before the server and its clients are made: time would run back for those who have looked at it.
beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

/** Lets everything happen that needs no time, until the promise is settled. */
async function settled<T>(promise: Promise<T>): Promise<T> {
  let waiting = true;
  const over = () => {
    waiting = false;
  };
  promise.then(over, over);
  while (waiting) await vi.advanceTimersByTimeAsync(1);
  return promise;
}

describe('Under fake timers', () => {
  it('messages pass within a few ms of their time', async () => {
    const began = performance.now();
    const realtime = startChat();
    const alice = createTestClient(realtime, { user: ALICE }).channel('room/:roomId', { roomId: 'lobby' });
    const bob = createTestClient(realtime, { user: BOB }).channel('room/:roomId', { roomId: 'lobby' });
    await settled(bob.ready());
    const heard = next(bob, 'message');
    await settled(alice.publish('message', { text: 'hi' }));
    expect((await settled(heard)).data.text).toBe('hi');
    expect(performance.now() - began).toBeLessThan(100);
  });

  it('a request times out when its time has passed, and not before', async () => {
    const client = createTestClient(startChat(), { user: ALICE, timeoutMs: 60_000 });
    await settled(client.connect());
    let code = '';
    client
      .channel('room/:roomId', { roomId: 'lobby' })
      .request('wait')
      .catch((error) => {
        code = error.code;
      });
    await vi.advanceTimersByTimeAsync(59_000);
    expect(code).toBe('');
    await vi.advanceTimersByTimeAsync(1_100);
    expect(code).toBe('timeout');
  });

  it('a connection lives on, and a session that is away expires when it should', async () => {
    const ends: string[] = [];
    const realtime = startChat({ onSessionEnd: (_, code) => ends.push(code) });
    const bob = createTestClient(realtime, { user: BOB });
    const room = bob.channel('room/:roomId', { roomId: 'lobby' });
    await settled(room.ready());
    await vi.advanceTimersByTimeAsync(600_000);
    expect(bob.diagnose()).toMatchObject({ state: { status: 'open' }, counts: { attaches: 1 } });
    bob.goOffline();
    await vi.advanceTimersByTimeAsync(119_000);
    expect(ends).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ends).toEqual(['session_lost']);
    bob.goOnline();
    await settled(room.ready());
    await vi.advanceTimersByTimeAsync(10);
    expect(room.state).toEqual({ status: 'subscribed', recovered: true });
  });
});
