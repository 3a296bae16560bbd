/**
 * A TCP proxy that does to connections what networks do: cuts them, delays each chunk, lets them stall, swallows what they carry, or holds an HTTP answer
 * back until it is whole. What it does applies to the connections that are there and to those to come.
 */
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';
import { AnswerBuffer } from './answer-buffer.ts';

/** `up`: client → server. */
export type Direction = 'up' | 'down';

/** What a proxy tells of each connection. `chunk` comes when bytes come in, and what it returns is called when they go out. */
export interface ProxyObserver {
  opened?(connection: ProxyConnection): void;
  chunk?(connection: ProxyConnection, direction: Direction): (() => void) | undefined;
}

interface Chunk {
  readonly bytes: Buffer;
  readonly dueAt: number;
  readonly passed: (() => void) | undefined;
}

/** Bytes that may wait for a socket that does not take them. */
const WAITING_BYTES_MAX = 1_048_576;

export class TcpProxy {
  /** How long each chunk is delayed, ms; so is what opens a connection. */
  readonly delayMs: Record<Direction, number> = { up: 0, down: 0 };
  /** Whether chunks wait until this is false again and `release()` is called. */
  readonly stalled: Record<Direction, boolean> = { up: false, down: false };
  /** Everything is swallowed; connections stay open. */
  blackhole = false;
  /** New connections are cut at once. */
  refusing = false;
  /** HTTP answers are passed on when they are whole, as by a proxy that buffers. */
  holdsBodies = false;
  /** The upgrade is taken out of WebSocket handshakes, as by a proxy that knows none. */
  stripsUpgrades = false;
  observer: ProxyObserver = {};
  readonly connections = new Set<ProxyConnection>();
  /** Connections that ever were. */
  accepted = 0;
  /** Where new connections lead. */
  targetPort: number;
  readonly #server: Server;

  private constructor(targetPort: number) {
    this.targetPort = targetPort;
    // A client that has half closed still gets what is on its way down, and the other way round.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.accepted += 1;
      if (this.refusing) {
        client.resetAndDestroy();
        return;
      }
      const connection = new ProxyConnection(this, client);
      this.connections.add(connection);
      this.observer.opened?.(connection);
    });
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cutAll(): void {
    for (const connection of [...this.connections]) connection.cut();
  }

  /** Nothing gets through any more, and nothing new comes up. */
  sever(): void {
    this.refusing = true;
    this.cutAll();
  }

  /** Lets go of what has stalled. */
  release(): void {
    for (const connection of this.connections) connection.pump();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

export class ProxyConnection {
  /** When its handshake would be over, had it been delayed as well. */
  readonly usableAt: number;
  readonly #proxy: TcpProxy;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pipes: readonly Pipe[];

  constructor(proxy: TcpProxy, client: Socket) {
    this.#proxy = proxy;
    this.#client = client;
    this.usableAt = performance.now() + proxy.delayMs.up + proxy.delayMs.down;
    this.#server = dial({ port: proxy.targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#pipes = [
      new Pipe(proxy, this, { direction: 'up', from: this.#client, to: this.#server }),
      new Pipe(proxy, this, { direction: 'down', from: this.#server, to: this.#client }),
    ];
    for (const socket of [this.#client, this.#server]) {
      socket.on('error', () => this.cut());
      socket.on('close', () => {
        if (this.#client.destroyed && this.#server.destroyed) proxy.connections.delete(this);
      });
    }
  }

  /** Both ends see a reset. What was on its way is lost. */
  cut(): void {
    this.#proxy.connections.delete(this);
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  pump(): void {
    for (const pipe of this.#pipes) pipe.pump();
  }
}

/** One direction of a connection. */
class Pipe {
  readonly #proxy: TcpProxy;
  readonly #connection: ProxyConnection;
  readonly #direction: Direction;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #buffer: AnswerBuffer | null;
  readonly #queue: Chunk[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** The sender has nothing more to say. */
  #ended = false;

  constructor(
    proxy: TcpProxy,
    connection: ProxyConnection,
    { direction, from, to }: { direction: Direction; from: Socket; to: Socket },
  ) {
    this.#proxy = proxy;
    this.#connection = connection;
    this.#direction = direction;
    this.#from = from;
    this.#to = to;
    this.#buffer = proxy.holdsBodies && direction === 'down' ? new AnswerBuffer() : null;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => {
      this.#ended = true;
      this.pump();
    });
    to.on('drain', () => from.resume());
  }

  /** Passes on what is due. */
  pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#proxy.stalled[this.#direction]) return;
    for (let [next] = this.#queue; next !== undefined; [next] = this.#queue) {
      const wait = next.dueAt - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pump(), Math.ceil(wait));
        return;
      }
      this.#queue.shift();
      this.#pass(next);
    }
    if (this.#ended && !this.#to.destroyed && !this.#proxy.blackhole) this.#to.end();
  }

  #take(given: Buffer): void {
    if (this.#proxy.blackhole) return;
    const bytes = this.#proxy.stripsUpgrades && this.#direction === 'up' ? withoutUpgrade(given) : given;
    for (const whole of this.#buffer?.push(bytes) ?? [bytes]) {
      const passed = this.#proxy.observer.chunk?.(this.#connection, this.#direction);
      const sentAt = Math.max(performance.now(), this.#connection.usableAt);
      this.#queue.push({ bytes: whole, dueAt: sentAt + this.#proxy.delayMs[this.#direction], passed });
    }
    this.pump();
  }

  #pass({ bytes, passed }: Chunk): void {
    if (this.#to.destroyed || this.#proxy.blackhole) return;
    passed?.();
    if (!this.#to.write(bytes) && this.#to.writableLength > WAITING_BYTES_MAX) this.#from.pause();
  }
}

function withoutUpgrade(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  if (!text.startsWith('GET ')) return bytes;
  return Buffer.from(text.replace(/\r\n(?:Upgrade|Connection|Sec-WebSocket-[^:]+):[^\r]*/gi, ''), 'latin1');
}
