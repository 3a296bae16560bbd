import { createServer } from '@runnel/server';
import { serve } from '../serve.ts';
import { contract } from './contract.ts';

const realtime = createServer({
  contract,
  authenticate: ({ auth }) => (typeof auth === 'string' && auth !== '' ? { id: auth } : null),
});
// Cursors go from client to client; the server checks them against the contract and passes them on.
realtime.handle('board/:boardId', { open: true });

await serve(realtime, import.meta.url);
