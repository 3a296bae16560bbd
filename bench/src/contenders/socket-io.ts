/** socket.io with its defaults and the WebSocket transport; the subscribers are in one room. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io';
import { type Contender, listen } from './contender.ts';

const { version } = createRequire(import.meta.url)('socket.io/package.json') as { readonly version: string };

export async function startSocketIo(): Promise<Contender> {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'] });
  io.on('connection', (socket) => void socket.join('lobby'));
  const port = await listen(http);
  return {
    port,
    version: `socket.io ${version}`,
    broadcast(payloads) {
      for (const payload of payloads) io.to('lobby').emit('message', payload);
    },
  };
}
