/** Serves the app and what it talks to. */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type RunnelServer } from '@runnel/server';
import { contract, type ReactContract } from './contract.ts';

interface User {
  readonly id: string;
}

export interface ReactServerOptions {
  /** The app's bundle. */
  readonly script: string;
  /** What is there before the script runs. */
  readonly html: string;
}

export class ReactServer {
  /** Of the ticker, by symbol. */
  readonly prices = new Map<string, number>();
  /** What its handlers have thrown. */
  readonly errors: unknown[] = [];
  realtime: RunnelServer<ReactContract, User>;
  readonly #options: ReactServerOptions;
  readonly #sockets = new Set<Socket>();
  #http: HttpServer;
  #port = 0;

  private constructor(options: ReactServerOptions) {
    this.#options = options;
    this.realtime = this.#createRealtime();
    this.#http = this.#createHttp();
  }

  static async start(options: ReactServerOptions): Promise<ReactServer> {
    const server = new ReactServer(options);
    await server.#listen();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** A price has changed. */
  async quote(symbol: string, price: number): Promise<void> {
    this.prices.set(symbol, price);
    await this.realtime.channel('ticker').broadcast('quote', { symbol, price });
  }

  /** The process dies with all sessions and logs, and another one takes its place. */
  async replace(): Promise<void> {
    await this.close();
    this.realtime = this.#createRealtime();
    this.#http = this.#createHttp();
    await this.#listen();
  }

  async close(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await gone;
    await this.realtime.close({ timeoutMs: 0 });
  }

  #createRealtime(): RunnelServer<ReactContract, User> {
    const realtime = createServer<ReactContract, User>({
      contract,
      onError: (error) => this.errors.push(error),
      authenticate: ({ auth }) => (typeof auth === 'string' ? { id: auth } : null),
    });
    realtime.handle('room/:roomId', {
      open: true,
      publish: { message: ({ data, user, channel }) => channel.broadcast('message', { text: data, from: user.id }) },
      presence: ({ data, user }) => {
        if (data.mood === 'furious') throw new TypeError('nobody is furious here');
        return { ...data, name: user.id };
      },
    });
    realtime.handle('ticker', { open: true, snapshot: () => Object.fromEntries(this.prices) });
    realtime.handle('secret', { authorize: () => false });
    return realtime;
  }

  #createHttp(): HttpServer {
    const { script, html } = this.#options;
    const http = createHttpServer(({ url = '/' }, response) => {
      const isScript = url === '/app.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html;charset=utf-8');
      const root = `<div id="root">${url.includes('rendered') ? html : ''}</div>`;
      response.end(
        isScript
          ? script
          : `<!doctype html>${root}<button id="unmount">unmount</button><script type="module" src="/app.js"></script>`,
      );
    });
    http.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    return http;
  }

  async #listen(): Promise<void> {
    this.realtime.attach(this.#http);
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#http.address() as AddressInfo).port;
  }
}
