/** The real server at the far end, and what has arrived there. */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Broker, createServer, memoryBroker, type RunnelServer, type ServerIdentity } from '@runnel/server';
import { Arrivals, type Numbered, numbered } from './arrivals.ts';
import { type Contract, contract } from './contract.ts';

export class OriginServer {
  /** What clients published, as the log has accepted it. */
  readonly arrivals = new Arrivals();
  /** What went wrong at the server that is no client's fault. */
  readonly errors: unknown[] = [];
  /** Numbered messages that went down. */
  sent = 0;
  readonly #broker: Broker;
  readonly #sockets = new Set<Socket>();
  /** Null while it is down. */
  #realtime: RunnelServer<Contract, ServerIdentity> | null = null;
  #http: HttpServer = createHttpServer();
  #port = 0;

  private constructor() {
    // The log is that of a broker which outlives the server.
    this.#broker = outliving(memoryBroker());
  }

  static async start(): Promise<OriginServer> {
    const server = new OriginServer();
    await server.#broker.subscribe('up', {
      message: ({ data }) => server.arrivals.add(JSON.parse(data) as Numbered),
      volatile: () => {},
    });
    await server.restart();
    await server.broadcast();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** Sends the next message down, unless the server is. */
  async broadcast(length?: number): Promise<void> {
    if (this.#realtime === null) return;
    const message = numbered(this.sent, length);
    this.sent += 1;
    await this.#realtime.channel('down').broadcast('tick', message);
  }

  /** The process dies: no goodbye, no memory of sessions. */
  async crash(): Promise<void> {
    const realtime = this.#realtime;
    this.#realtime = null;
    const gone = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await gone;
    await realtime?.close({ timeoutMs: 0 });
  }

  /** Says goodbye to everybody and goes. */
  async stop(): Promise<void> {
    const realtime = this.#realtime;
    this.#realtime = null;
    await realtime?.close();
    const gone = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeAllConnections();
    await gone;
  }

  /** Is there again, on the same port. */
  async restart(): Promise<void> {
    const realtime = createServer<Contract, ServerIdentity>({
      contract,
      authenticate: () => ({ id: 'ann' }),
      broker: this.#broker,
      onError: (error) => this.errors.push(error),
    });
    realtime.handle('down', { open: true });
    realtime.handle('up', { open: true });
    this.#http = createHttpServer((_, response) => response.writeHead(404).end());
    this.#http.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    realtime.attach(this.#http);
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#http.address() as AddressInfo).port;
    this.#realtime = realtime;
  }
}

function outliving(broker: Broker): Broker {
  return {
    publish: (channel, entry, options) => broker.publish(channel, entry, options),
    send: (channel, entry) => broker.send(channel, entry),
    read: (channel, query) => broker.read(channel, query),
    heads: (channels) => broker.heads(channels),
    subscribe: (channel, listener) => broker.subscribe(channel, listener),
    unsubscribe: (channel, listener) => broker.unsubscribe(channel, listener),
    close: async () => {},
  };
}
