/** A load balancer without any notion of sessions: each request and each handshake goes to the next server. */
import { request as ask, createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export class RoundRobin {
  readonly #ports: () => readonly number[];
  readonly #http: Server;
  readonly #sockets = new Set<Socket | Duplex>();
  #turn = 0;
  /** Whether handshakes are refused, as by a balancer that knows no WebSocket. */
  blocksUpgrades = false;

  private constructor(ports: () => readonly number[]) {
    this.#ports = ports;
    this.#http = createServer((request, response) => {
      const { method, url, headers } = request;
      const up = ask({ port: this.#next(), host: '127.0.0.1', method, path: url, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        response.flushHeaders();
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      });
      up.on('error', () => {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      });
      response.on('close', () => up.destroy());
      request.pipe(up);
    });
    this.#http.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  static async start(ports: () => readonly number[]): Promise<RoundRobin> {
    const balancer = new RoundRobin(ports);
    await new Promise<void>((resolve) => balancer.#http.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  /** Every connection breaks. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => void this.#http.close(() => resolve()));
    this.cutAll();
    await stopped;
  }

  #next(): number {
    const ports = this.#ports();
    this.#turn += 1;
    return ports[this.#turn % ports.length] as number;
  }

  #upgrade({ method, url, rawHeaders }: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.blocksUpgrades) return void socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    const up = connect(this.#next(), '127.0.0.1');
    const lines = [`${method} ${url} HTTP/1.1`];
    for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
    up.write(`${lines.join('\r\n')}\r\n\r\n`);
    up.write(head);
    up.pipe(socket).pipe(up);
    for (const [one, other] of [
      [up, socket],
      [socket, up],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  }
}
