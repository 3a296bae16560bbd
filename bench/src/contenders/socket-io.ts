/** socket.io with its defaults, and with its Redis Streams adapter where there are several nodes; members of a channel are in one of its rooms. Nothing is validated. */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { Server } from 'socket.io';
import { type Contender, listen, type Setup } from './contender.ts';

const { version } = createRequire(import.meta.url)('socket.io/package.json') as { readonly version: string };

export async function startSocketIo({ role, brokerUrl }: Setup): Promise<Contender> {
  const http = createServer();
  const io = new Server(http, brokerUrl === null ? {} : { adapter: await adapterOn(brokerUrl) });
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
    version: brokerUrl === null ? `socket.io ${version}` : `socket.io ${version} with its Redis Streams adapter`,
    broadcast: (channel, payload) => void io.to(String(channel)).emit('message', payload),
  };
}

async function adapterOn(url: string) {
  const [{ createAdapter }, { createClient }] = await Promise.all([
    import('@socket.io/redis-streams-adapter'),
    import('@redis/client'),
  ]);
  const client = createClient({ url });
  await client.connect();
  return createAdapter(client);
}
