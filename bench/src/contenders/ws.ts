/**
 * What one writes with `ws` alone. `lobby`: a loop that sends the same string to every client. `rooms`: the same over a room's members, and a
 * publish by hand, checked, passed on and answered. `echo`: JSON in, JSON out, unchecked.
 */
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import { type Contender, listen, type Setup } from './contender.ts';
import { Members } from './members.ts';

const { version } = createRequire(import.meta.url)('ws/package.json') as { readonly version: string };
const PING_MS = 10_000;

const Frame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('join'), rooms: z.array(z.number()) }),
  z.object({
    type: z.literal('publish'),
    id: z.number(),
    room: z.number(),
    data: z.object({ n: z.number(), text: z.string() }),
  }),
]);

export async function startWs({ role, deflate, heartbeats }: Setup): Promise<Contender> {
  const http = createServer();
  // The defaults; compression is off in `ws` unless asked for.
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: deflate && { serverNoContextTakeover: true, threshold: 0 },
  });
  const { clients } = server;
  const members = new Members<WebSocket>();
  const send = (text: string, sockets: ReadonlySet<WebSocket>): void => {
    for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.send(text);
  };
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    if (role === 'echo') socket.on('message', (data) => socket.send(JSON.stringify(JSON.parse(String(data)))));
    if (role === 'rooms') serveRooms(socket);
  });
  function serveRooms(socket: WebSocket): void {
    const joined: number[] = [];
    socket.on('close', () => members.leave(joined, socket));
    socket.on('message', (data) => {
      const frame = Frame.parse(JSON.parse(String(data)));
      if (frame.type === 'join') {
        for (const room of frame.rooms) members.join(room, socket);
        joined.push(...frame.rooms);
        socket.send('{"type":"joined"}');
      } else {
        send(JSON.stringify(frame.data), members.of(frame.room));
        socket.send(JSON.stringify({ type: 'published', id: frame.id }));
      }
    });
  }
  if (heartbeats === 'on') {
    // As in the manual of `ws`, but without looking at the answers.
    setInterval(() => clients.forEach((socket) => void socket.ping()), PING_MS).unref();
  }
  return {
    port: await listen(http),
    version: `ws ${version}`,
    broadcast: (channel, payload) => send(JSON.stringify(payload), role === 'lobby' ? clients : members.of(channel)),
  };
}
