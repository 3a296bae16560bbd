/** The real server at the far end, and what has arrived there. */
import { MortalHttpServer } from '../support/mortal-http-server.ts';
import { Arrivals, numbered } from './arrivals.ts';
import type { Contender, Ledger, Service } from './contenders/contender.ts';

type StartService = ReturnType<Contender['host']>;

export class Origin implements Ledger {
  /** What clients published. */
  readonly arrivals: Arrivals = new Arrivals();
  /** What went wrong at the server that is no client's fault. */
  readonly errors: unknown[] = [];
  /** Numbered messages that went down; the first goes to each client by itself. */
  sent = 1;
  readonly #start: StartService;
  readonly #http: MortalHttpServer = new MortalHttpServer();
  /** Null while it is down. */
  #service: Service | null = null;

  private constructor(contender: Contender) {
    this.#start = contender.host(this);
  }

  static async start(contender: Contender): Promise<Origin> {
    const origin = new Origin(contender);
    await origin.restart();
    return origin;
  }

  get port(): number {
    return this.#http.port;
  }

  readonly take: Ledger['take'] = (message) => this.arrivals.add(message);

  readonly fail: Ledger['fail'] = (error) => void this.errors.push(error);

  readonly first: Ledger['first'] = () => numbered(0);

  /** Sends the next message down, unless the server is. */
  async broadcast(length?: number): Promise<void> {
    if (this.#service === null) return;
    const message = numbered(this.sent, length);
    this.sent += 1;
    await this.#service.send(message);
  }

  /** Lets the sessions of this server get this much older. */
  async age(ms: number): Promise<void> {
    await this.#service?.age(ms);
  }

  /** The process dies: no goodbye, no memory of sessions. */
  async crash(): Promise<void> {
    const service = this.#service;
    this.#service = null;
    await this.#http.crash();
    await service?.close(false);
  }

  /** Says goodbye to everybody and goes. */
  async stop(): Promise<void> {
    const service = this.#service;
    this.#service = null;
    await service?.close(true);
    await this.#http.close();
  }

  /** Is there again, on the same port. */
  async restart(): Promise<void> {
    let service: Service | null = null;
    await this.#http.listen((http) => {
      service = this.#start(http);
    });
    this.#service = service;
  }
}
