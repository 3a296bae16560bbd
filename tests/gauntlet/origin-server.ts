/** The real server at the far end, and what has arrived there. */
import { type Broker, createServer, memoryBroker, type RunnelServer, type ServerIdentity } from '@runnel/server';
import { lasting } from '../support/lasting-broker.ts';
import { MortalHttpServer } from '../support/mortal-http-server.ts';
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
  readonly #http = new MortalHttpServer();
  /** Null while it is down. */
  #realtime: RunnelServer<Contract, ServerIdentity> | null = null;

  private constructor() {
    // The log is that of a broker which outlives the server.
    this.#broker = lasting(memoryBroker());
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
    return this.#http.port;
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
    await this.#http.crash();
    await realtime?.close({ timeoutMs: 0 });
  }

  /** Says goodbye to everybody and goes. */
  async stop(): Promise<void> {
    const realtime = this.#realtime;
    this.#realtime = null;
    await realtime?.close();
    await this.#http.close();
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
    await this.#http.listen((http) => realtime.attach(http));
    this.#realtime = realtime;
  }
}
