/**
 * Chunks of an open answer (RFC 9112 §7.1), written to its socket past `ServerResponse.write`, which makes four writes and a tick of each. A chunk is made once
 * for all answers that are sent the same bytes, and goes out in one piece.
 *
 * What the socket gets is what node would have given it, in the same order, as long as node holds nothing back itself. So the first bytes go by node, and the
 * head with them; and so do all that find the response corked (newer versions of node then gather its chunks), without its socket because an earlier request of
 * the connection is not answered, ended, or wrapped by a middleware that wants to see what is written. The end is node's as well: between head and end it
 * writes nothing of its own accord.
 */
import { ServerResponse } from 'node:http';
import { Socket } from 'node:net';

const LINE_END = '\r\n';

/** Where whole chunks may go; null: by `response.write`. The head is out. */
export function chunkSocketOf(response: ServerResponse): Socket | null {
  const { chunkedEncoding, socket, writableCorked, writableEnded } = response;
  if (!chunkedEncoding || writableCorked > 0 || writableEnded || !(socket instanceof Socket)) return null;
  return response.write === ServerResponse.prototype.write ? socket : null;
}

/** Remembers the last chunk: who is written to next is mostly sent the very same bytes. */
export class Chunks {
  #bytes: Buffer | null = null;
  #chunk: Buffer = Buffer.alloc(0);

  /** The chunk with `bytes`, of which there are some. */
  of(bytes: Buffer): Buffer {
    if (this.#bytes === bytes) return this.#chunk;
    const head = `${bytes.length.toString(16)}${LINE_END}`;
    const chunk = Buffer.allocUnsafe(head.length + bytes.length + LINE_END.length);
    bytes.copy(chunk, chunk.write(head, 'latin1'));
    chunk.write(LINE_END, head.length + bytes.length, 'latin1');
    this.#bytes = bytes;
    this.#chunk = chunk;
    return chunk;
  }
}
