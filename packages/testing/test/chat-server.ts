/** A small chat, as an app would write it: what is tested here is how it can be tested. */
import { channel, defineContract } from '@runnel/protocol';
import { createServer, type RunnelServer, type ServerOptions } from '@runnel/server';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

export const chat = defineContract({
  'room/:roomId': channel({
    events: { message: z.object({ text: z.string(), from: z.string() }) },
    publish: { message: z.object({ text: z.string().max(100) }) },
    requests: {
      spell: { input: z.string(), yields: z.string(), output: z.object({ letters: z.number() }) },
      wait: {},
    },
    presence: z.object({ mood: z.string() }),
    history: { size: 50, ttl: '1h' },
  }),
  'whisper/:roomId': channel({
    events: { message: z.string() },
    publish: { message: z.string() },
  }),
});
export type Chat = typeof chat;

export interface User {
  readonly id: string;
  readonly name: string;
  /** Where it knocked, and with what. */
  readonly cookie?: string | undefined;
}

export const ALICE: User = { id: 'alice', name: 'Alice' };
export const BOB: User = { id: 'bob', name: 'Bob' };

/** A chat server that listens nowhere. It closes when the test has finished. */
export function startChat(options: Partial<ServerOptions<Chat, User>> = {}): RunnelServer<Chat, User> {
  const realtime = createServer<Chat, User>({
    contract: chat,
    authenticate: ({ auth, request }) =>
      typeof auth === 'string' ? { id: auth, name: `real ${auth}`, cookie: request?.headers.cookie } : null,
    ...options,
  });
  realtime.handle('room/:roomId', {
    authorize: ({ params, user }) => params.roomId !== 'secret' || user.id === 'alice',
    publish: { message: ({ data, user, channel }) => channel.broadcast('message', { ...data, from: user.name }) },
    requests: {
      spell: async function* ({ data }) {
        yield* data;
        return { letters: data.length };
      },
      wait: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    },
  });
  realtime.handle('whisper/:roomId', {
    open: true,
    publish: { message: ({ data, channel }) => channel.broadcast('message', data) },
  });
  onTestFinished(() => realtime.close({ timeoutMs: 0 }));
  return realtime;
}
