/** The floor: bare sockets, and for each message one write of the same bytes to each. */
import { createServer, type Socket } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';
import { type Contender, listen, requireRole, type Setup } from './contender.ts';

/** RFC 6455 §5.2: FIN and opcode 1. So the subscribers can tell messages apart like everybody else's. Compressed as in RFC 7692 §7.2.1. */
function frame(text: string, deflate = false): Buffer {
  const payload = deflate
    ? deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
    : Buffer.from(text);
  const header = payload.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
  header[0] = deflate ? 0xc1 : 0x81;
  header[1] = Math.min(payload.length, 126);
  if (payload.length >= 126) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

export async function startNet(setup: Setup): Promise<Contender> {
  requireRole(setup, 'lobby');
  const sockets = new Set<Socket>();
  const greeting = frame('hello');
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.write(greeting);
  });
  return {
    port: await listen(server),
    version: 'node:net',
    broadcast(_channel, payload) {
      const bytes = frame(JSON.stringify(payload), setup.deflate);
      for (const socket of sockets) socket.write(bytes);
    },
  };
}
