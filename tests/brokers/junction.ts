import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';

/** A path to a server, which can be led to another one, and counts what comes down. */
export class Junction {
  /** Where new connections lead. */
  targetPort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #said = '';

  private constructor(targetPort: number) {
    this.targetPort = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  static async start(targetPort: number): Promise<Junction> {
    const junction = new Junction(targetPort);
    await new Promise<void>((resolve) => junction.#server.listen(0, '127.0.0.1', resolve));
    return junction;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How often the servers have said it by now. */
  count(text: string): number {
    return this.#said.split(text).length - 1;
  }

  /** Leads elsewhere from now on; connections that are there break. */
  lead(targetPort: number): void {
    this.targetPort = targetPort;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): void {
    this.lead(this.targetPort);
    this.#server.close();
  }

  #join(client: Socket): void {
    const target = dial(this.targetPort, '127.0.0.1');
    client.pipe(target).pipe(client);
    target.on('data', (bytes: Buffer) => {
      this.#said += bytes.toString('latin1');
    });
    for (const socket of [client, target]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        target.destroy();
      });
    }
  }
}
