/** An HTTP server on loopback that goes, gently or not, and is there again on the same port. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export class MortalHttpServer {
  readonly #sockets = new Set<Socket>();
  #http: Server = createServer();
  #port = 0;

  /** The same each time; 0 before the first. */
  get port(): number {
    return this.#port;
  }

  /** Is there, with what `attach` has put before it; everything else is answered 404. */
  async listen(attach: (http: Server) => void): Promise<void> {
    const http = createServer((_, response) => response.writeHead(404).end());
    this.#http = http;
    http.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    attach(http);
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (http.address() as AddressInfo).port;
  }

  /** Resets every connection, and is gone. */
  async crash(): Promise<void> {
    const gone = this.#gone();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await gone;
  }

  /** Closes every connection, and is gone. */
  async close(): Promise<void> {
    const gone = this.#gone();
    this.#http.closeAllConnections();
    await gone;
  }

  #gone(): Promise<void> {
    return new Promise((resolve) => void this.#http.close(() => resolve()));
  }
}
