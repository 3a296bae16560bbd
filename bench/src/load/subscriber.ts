/**
 * One connection: opens it, speaks its contender's dialect, counts messages. It never parses JSON. A subscriber in the sample compares
 * every message with what was sent.
 */
import { connect, type Socket } from 'node:net';
import type { Dialect } from './dialect.ts';
import { clientFrame, FrameReader, OPCODE } from './frames.ts';

const HEADERS_END = '\r\n\r\n';

export interface SubscriberOptions {
  readonly dialect: Dialect;
  readonly port: number;
  readonly index: number;
  readonly onReady: () => void;
  readonly onMessages: (count: number) => void;
  readonly onFailure: (error: Error) => void;
}

export class Subscriber {
  readonly index: number;
  /** Messages of the window under way. */
  taken = 0;
  /** Bytes of the window under way. */
  bytes = 0;
  /** Compares message number `at` of the window, whose payload ends at `end`; null outside the sample and between windows. */
  compare: ((at: number, bytes: Buffer, end: number) => void) | null = null;
  /** For dialects that count: frames taken, and bytes taken since that was told. */
  rx = 0;
  untoldBytes = 0;
  readonly #socket: Socket;
  readonly #dialect: Dialect;
  readonly #options: SubscriberOptions;
  readonly #reader: FrameReader;
  /** What has come of the answer to the handshake; null once it is read. */
  #head: Buffer | null;

  constructor(options: SubscriberOptions) {
    const { dialect, port, index } = options;
    this.index = index;
    this.#options = options;
    this.#dialect = dialect;
    this.#head = dialect.path === null ? null : Buffer.alloc(0);
    this.#reader = new FrameReader((opcode, bytes, start, end) => this.#handleFrame(opcode, bytes, start, end));
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#open());
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => options.onFailure(error));
    this.#socket.on('close', () => options.onFailure(new Error(`connection ${index} was closed`)));
  }

  send(text: string): void {
    this.#socket.write(clientFrame(OPCODE.text, Buffer.from(text)));
  }

  /** For dialects: it is subscribed. */
  ready(): void {
    this.#options.onReady();
  }

  /** For dialects: what came is no part of the dialect, or says that all is over. */
  fail(bytes: Buffer, start: number, end: number): void {
    this.#options.onFailure(
      new Error(`connection ${this.index} got ${bytes.toString('utf8', start, end).slice(0, 200)}`),
    );
  }

  /** For dialects: a message whose payload ends at `end`. */
  take(bytes: Buffer, end: number): void {
    this.compare?.(this.taken, bytes, end);
    this.taken += 1;
  }

  #open(): void {
    const { path } = this.#dialect;
    if (path === null) return;
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${this.#options.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==${HEADERS_END}`,
    );
  }

  #read(chunk: Buffer): void {
    if (this.#head !== null) {
      this.#readHead(Buffer.concat([this.#head, chunk]));
      return;
    }
    const before = this.taken;
    this.bytes += chunk.length;
    this.#reader.read(chunk);
    if (this.taken > before) this.#options.onMessages(this.taken - before);
  }

  #readHead(head: Buffer): void {
    const end = head.indexOf(HEADERS_END);
    if (end === -1) {
      this.#head = head;
      return;
    }
    if (!head.toString('latin1', 0, end).startsWith('HTTP/1.1 101 ')) {
      this.fail(head, 0, end);
      return;
    }
    this.#head = null;
    this.#dialect.open(this);
    if (head.length > end + HEADERS_END.length) this.#read(head.subarray(end + HEADERS_END.length));
  }

  #handleFrame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === OPCODE.text) this.#dialect.take(this, bytes, start, end);
    else if (opcode === OPCODE.ping) this.#socket.write(clientFrame(OPCODE.pong, bytes.subarray(start, end)));
    else this.fail(bytes, start, end);
  }
}
