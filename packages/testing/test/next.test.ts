import type { ClientChannel } from '@runnel/client';
import type { ServerChannel } from '@runnel/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTestClient, next } from '../src/index.ts';
import { BOB, type Chat, startChat } from './chat-server.ts';

type Pattern = 'room/:roomId';

async function rooms(
  roomId = 'lobby',
): Promise<{ lobby: ServerChannel<Chat, Pattern>; room: ClientChannel<Chat, Pattern> }> {
  const realtime = startChat();
  const client = createTestClient(realtime, { user: BOB });
  onTestFinished(() => client[Symbol.asyncDispose]());
  return { lobby: realtime.channel('room/:roomId', { roomId }), room: client.channel('room/:roomId', { roomId }) };
}

describe('next()', () => {
  it('resolves with one event, and passes over those that are not wanted', async () => {
    const { lobby, room } = await rooms();
    await room.ready();
    const first = next(room, 'message');
    const second = next(room, 'message', { where: ({ text }, { offset }) => text === 'b' && offset === 2 });
    for (const text of ['a', 'b', 'c']) await lobby.broadcast('message', { text, from: 'server' });
    expect((await first).data.text).toBe('a');
    expect(await second).toMatchObject({ data: { text: 'b' }, meta: { offset: 2, self: false } });
  });

  it('subscribes, and lets go again', async () => {
    const { lobby, room } = await rooms();
    const heard = next(room, 'message');
    await new Promise<void>((resolve) => room.onState(({ status }) => status === 'subscribed' && resolve()));
    await lobby.broadcast('message', { text: 'a', from: 'server' });
    await heard;
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    expect(room.state.status).toBe('idle');
  });

  it('rejects with `timeout` where nothing comes, and says how things stand', async () => {
    const { room } = await rooms();
    await room.ready();
    const nothing = next(room, 'message', { timeoutMs: 1 });
    await expect(nothing).rejects.toMatchObject({
      code: 'timeout',
      message: 'No "message" came to room/lobby within 1 ms; the channel is subscribed.',
    });
  });

  it('rejects at once where the channel may not be subscribed', async () => {
    const { room } = await rooms('secret');
    await expect(next(room, 'message', { timeoutMs: 60_000 })).rejects.toMatchObject({ code: 'forbidden' });
    // It has failed for good by now.
    const pinned = room.ready();
    await expect(pinned).rejects.toMatchObject({ code: 'forbidden' });
    await expect(next(room, 'message', { timeoutMs: 60_000 })).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('rejects with what `where` throws', async () => {
    const { lobby, room } = await rooms();
    await room.ready();
    const failure = new Error('not like this');
    const heard = next(room, 'message', {
      where: () => {
        throw failure;
      },
    });
    await lobby.broadcast('message', { text: 'a', from: 'server' });
    await expect(heard).rejects.toBe(failure);
  });
});
