import type { Socket } from 'node:net';

/** What a turn has for each socket, in one write at its end. Sockets with the same to send in a row are given the same bytes. */
export class TurnWrites {
  readonly #pieces = new Map<Socket, Buffer[]>();

  add(socket: Socket, bytes: Buffer): void {
    if (this.#pieces.size === 0) setImmediate(() => this.#flush());
    const pieces = this.#pieces.get(socket);
    if (pieces === undefined) this.#pieces.set(socket, [bytes]);
    else pieces.push(bytes);
  }

  #flush(): void {
    let last: readonly Buffer[] = [];
    let joined = Buffer.alloc(0);
    for (const [socket, pieces] of this.#pieces) {
      if (pieces.length !== last.length || pieces.some((piece, at) => piece !== last[at]))
        joined = Buffer.concat(pieces);
      last = pieces;
      socket.write(joined);
    }
    this.#pieces.clear();
  }
}
