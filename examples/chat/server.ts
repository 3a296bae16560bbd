import { createServer } from '@runnel/server';
import { serve } from '../serve.ts';
import { contract } from './contract.ts';

const realtime = createServer({
  contract,
  // A real app looks at a cookie session or a token here.
  authenticate: ({ auth }) => (typeof auth === 'string' && auth !== '' ? { id: auth, name: auth } : null),
});

realtime.handle('room/:roomId', {
  authorize: ({ params }) => params.roomId !== 'private',
  publish: { message: ({ data, user, channel }) => channel.broadcast('message', { from: user.name, text: data.text }) },
  presence: ({ user }) => ({ name: user.name }),
});

await serve(realtime, import.meta.url);
