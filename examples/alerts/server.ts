import { createServer } from '@runnel/server';
import express from 'express';
import { serve } from '../serve.ts';
import { contract } from './contract.ts';

const realtime = createServer({
  contract,
  authenticate: ({ auth }) => (typeof auth === 'string' && auth !== '' ? { id: auth } : null),
});

// Nobody sends here but the server, and nobody listens but the user.
realtime.handle('user/:userId', { authorize: ({ user, params }) => user.id === params.userId });

const app = express();
app.post('/alerts/:userId', express.text(), async (request, response) => {
  const { userId } = request.params;
  // From any route, job or queue; whether the user is here now does not matter.
  await realtime.channel('user/:userId', { userId }).broadcast('alert', { text: String(request.body), at: Date.now() });
  response.sendStatus(204);
});

await serve(realtime, import.meta.url, app);
