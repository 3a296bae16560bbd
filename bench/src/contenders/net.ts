/** The floor: bare sockets, and for each message one write of the same bytes to each. */
import { createServer, type Socket } from 'node:net';
import { type Contender, listen } from './contender.ts';

/** RFC 6455 §5.2: FIN and opcode 1. So the subscribers can tell messages apart like everybody else's. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const header = payload.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
  header[0] = 0x81;
  header[1] = Math.min(payload.length, 126);
  if (payload.length >= 126) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

export async function startNet(): Promise<Contender> {
  const sockets = new Set<Socket>();
  const greeting = frame('hello');
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.write(greeting);
  });
  const port = await listen(server);
  return {
    port,
    version: 'node:net',
    broadcast(payloads) {
      for (const payload of payloads) {
        const bytes = frame(JSON.stringify(payload));
        for (const socket of sockets) socket.write(bytes);
      }
    },
  };
}
