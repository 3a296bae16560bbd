import { createServer as createHttpServer } from 'node:http';
import { createServer, type RunnelServer } from '@runnel/server';
import { type AppContract, contract } from './contract.js';

interface User {
  readonly id: string;
  readonly name: string;
}

export const realtime: RunnelServer<AppContract, User> = createServer({
  contract,
  authenticate: ({ auth }) => (typeof auth === 'string' ? { id: auth, name: auth.toUpperCase() } : null),
});

realtime.handle('ticker', { open: true });
realtime.handle('room/:roomId', {
  authorize: ({ params }) => params.roomId !== 'secret',
  publish: { message: ({ data, user, channel }) => channel.broadcast('message', { ...data, from: user.name }) },
  requests: {
    rename: ({ data, fail }) => (data === '' ? fail('locked', { by: 'ann' }) : data.length),
    spell: async function* ({ data }) {
      yield* data;
      return { letters: data.length };
    },
  },
});

export async function announce(text: string): Promise<number> {
  const position = await realtime
    .channel('room/:roomId', { roomId: 'lobby' })
    .broadcast('message', { text, from: 'server' });
  return position?.offset ?? 0;
}

realtime.attach(createHttpServer());
