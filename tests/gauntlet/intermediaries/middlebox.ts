/**
 * A TCP middlebox that interferes with what it carries, connection by connection: it may swallow, change, cut and answer by itself. What a network does to
 * all connections alike, `support/tcp-proxy.ts` does.
 */
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { AT_ONCE, type Carriage } from './carriage.ts';

type Direction = 'up' | 'down';

/** Bytes on their way through; beyond it the sender has to wait. */
const WAITING_BYTES_MAX = 65_536;
export const NOTHING: Buffer = Buffer.alloc(0);

/** What a middlebox does to its connections. Whatever is left out passes. */
export interface Interference {
  opened?(passage: Passage): void;
  /** Returns what goes on of what came. */
  up?(bytes: Buffer, passage: Passage): Buffer;
  down?(bytes: Buffer, passage: Passage): Buffer;
  /** Made for each connection and direction. */
  carriage?(direction: Direction): Carriage;
}

export class Middlebox {
  /** May be changed at any time; connections that are there go on under the one that is. */
  interference: Interference;
  readonly passages = new Set<Passage>();
  readonly targetPort: number;
  readonly #server: Server;

  private constructor(targetPort: number, interference: Interference) {
    this.targetPort = targetPort;
    this.interference = interference;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      const passage = new Passage(this, client);
      this.passages.add(passage);
      this.interference.opened?.(passage);
    });
  }

  static async start(targetPort: number, interference: Interference = {}): Promise<Middlebox> {
    const middlebox = new Middlebox(targetPort, interference);
    await new Promise<void>((resolve) => middlebox.#server.listen(0, '127.0.0.1', resolve));
    return middlebox;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const passage of [...this.passages]) passage.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** One connection through the middlebox. */
export class Passage {
  /** Whether it began with a WebSocket's handshake; null before anything came. */
  isWebSocket: boolean | null = null;
  /** Nothing passes either way any more; both ends are left to believe that all is well. */
  silent = false;
  /** Bytes that have passed. */
  bytes = 0;
  /** Called when both ends are closed. */
  closed: () => void = () => {};
  readonly #middlebox: Middlebox;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(middlebox: Middlebox, client: Socket) {
    this.#middlebox = middlebox;
    this.#client = client;
    this.#server = dial({ port: middlebox.targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#pipe('up', this.#client, this.#server);
    this.#pipe('down', this.#server, this.#client);
    for (const socket of [this.#client, this.#server]) {
      socket.on('error', () => this.cut());
      socket.on('close', () => {
        if (this.#client.destroyed && this.#server.destroyed) this.#forget();
      });
    }
  }

  /** Both ends see a reset. */
  cut(): void {
    this.#forget();
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  /** Calls `run` after `ms`, if the connection is there then. Returns what calls that off. */
  after(ms: number, run: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  /** One end is told that the other has closed; the other hears nothing of it, nor anything else. */
  halfClose(told: 'client' | 'server'): void {
    this.silent = true;
    const end = told === 'client' ? this.#client : this.#server;
    end.end();
  }

  /** Answers in the server's place, and closes. */
  answer(text: string): void {
    this.silent = true;
    this.#client.end(text);
    this.#server.destroy();
  }

  #pipe(direction: Direction, from: Socket, to: Socket): void {
    const carriage = this.#middlebox.interference.carriage?.(direction) ?? AT_ONCE;
    let waiting = 0;
    const steer = (): void => {
      if (waiting + to.writableLength > WAITING_BYTES_MAX) from.pause();
      else from.resume();
    };
    const deliver = (piece: Buffer): void => {
      waiting -= piece.length;
      if (to.destroyed || this.silent) return;
      if (piece.length === 0) to.end();
      else to.write(piece);
      steer();
    };
    from.on('data', (bytes: Buffer) => {
      const passing = this.#interfere(direction, bytes);
      if (passing.length === 0) return;
      waiting += passing.length;
      carriage.carry(passing, deliver);
      steer();
    });
    from.on('end', () => carriage.carry(NOTHING, deliver));
    to.on('drain', steer);
  }

  #interfere(direction: Direction, bytes: Buffer): Buffer {
    if (direction === 'up') this.isWebSocket ??= /\r\nupgrade: *websocket/i.test(bytes.toString('latin1'));
    if (this.silent) return NOTHING;
    this.bytes += bytes.length;
    const { interference } = this.#middlebox;
    const passing =
      (direction === 'up' ? interference.up : interference.down)?.call(interference, bytes, this) ?? bytes;
    return this.silent ? NOTHING : passing;
  }

  #forget(): void {
    this.closed();
    this.#middlebox.passages.delete(this);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
