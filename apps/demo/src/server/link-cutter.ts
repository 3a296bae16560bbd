import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { tabOf } from './tab.ts';

/**
 * Knows which TCP connections carry which tab, so that a tab can have its own ones destroyed. Node makes one request object
 * for each request and each upgrade of a connection, before anybody sees it: that is where this looks.
 *
 * Only for a demo. A tab is known by the secret in its address's `tab`, so nobody can cut anybody else.
 */
export class LinkCutter {
  /** For `createServer({ IncomingMessage })`. */
  readonly Request: typeof IncomingMessage;
  // By open connection: what came over it last.
  readonly #latest = new Map<Socket, IncomingMessage>();

  constructor() {
    const note = (socket: Socket, request: IncomingMessage) => this.#note(socket, request);
    this.Request = class extends IncomingMessage {
      constructor(socket: Socket) {
        super(socket);
        note(socket, this);
      }
    };
  }

  /** @returns how many connections were destroyed */
  cut(tab: string): number {
    const carrying = [...this.#latest].filter(([, { url }]) => tabOf(url) === tab);
    // A reset, not a farewell: what is under way in either direction is lost.
    for (const [socket] of carrying) socket.resetAndDestroy();
    return carrying.length;
  }

  #note(socket: Socket, request: IncomingMessage): void {
    if (!this.#latest.has(socket)) socket.once('close', () => this.#latest.delete(socket));
    this.#latest.set(socket, request);
  }
}
