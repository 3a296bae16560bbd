/**
 * The floor: bare sockets, and for each message one write of the same bytes to each. Or one write for all that a turn has for a socket: less than that no
 * server on `node:net` can do.
 */
import { createServer, type Socket } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';
import { type Contender, listen, requireRole, type Setup } from './contender.ts';
import { Members } from './members.ts';
import { TurnWrites } from './turn-writes.ts';

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

/** Of a short frame of the load's clients, whose mask is all zeros. */
const FRAME_HEADER_BYTES = 6;

export async function startNet(setup: Setup): Promise<Contender> {
  requireRole(setup, 'lobby', 'rooms');
  const isLobby = setup.role === 'lobby';
  const sockets = new Set<Socket>();
  const members = new Members<Socket>();
  const greeting = frame('hello');
  const server = createServer({ noDelay: true }, (socket) => {
    const joined = isLobby ? [] : joinOnDemand(socket);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      members.leave(joined, socket);
    });
    if (isLobby) socket.write(greeting);
  });

  /** The first frame says where its client wants to be. */
  function joinOnDemand(socket: Socket): number[] {
    const joined: number[] = [];
    socket.once('data', (bytes) => {
      joined.push(...(JSON.parse(bytes.toString('latin1', FRAME_HEADER_BYTES)) as number[]));
      for (const room of joined) members.join(room, socket);
      socket.write(greeting);
    });
    return joined;
  }

  const merged = setup.merges ? new TurnWrites() : null;
  return {
    port: await listen(server),
    version: 'node:net',
    broadcast(channel, payload) {
      const bytes = frame(JSON.stringify(payload), setup.deflate);
      for (const socket of isLobby ? sockets : members.of(channel)) {
        if (merged === null) socket.write(bytes);
        else merged.add(socket, bytes);
      }
    },
  };
}
