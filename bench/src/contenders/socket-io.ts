/** socket.io with its defaults; members of a channel are in one of its rooms. Nothing is validated. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io';
import { type Contender, listen, type Setup } from './contender.ts';

const { version } = createRequire(import.meta.url)('socket.io/package.json') as { readonly version: string };

export async function startSocketIo({ role }: Setup): Promise<Contender> {
  const http = createServer();
  const io = new Server(http);
  io.on('connection', (socket) => {
    if (role === 'lobby') void socket.join('0');
    socket.on('join', (rooms: readonly number[], answer: () => void) => {
      void socket.join(rooms.map(String));
      answer();
    });
    socket.on('echo', (data: unknown, answer: (data: unknown) => void) => answer(data));
    socket.on('publish', (room: number, data: unknown, answer: () => void) => {
      io.to(String(room)).emit('message', data);
      answer();
    });
  });
  return {
    port: await listen(http),
    version: `socket.io ${version}`,
    broadcast: (channel, payload) => void io.to(String(channel)).emit('message', payload),
  };
}
