/** A socket with frames on it, after a WebSocket handshake or, without a path, from the first byte. */
import { connect, type Socket } from 'node:net';
import { constants, inflateRawSync } from 'node:zlib';
import type { Seat } from './client.ts';
import { clientFrame, FrameReader, OPCODE } from './frames.ts';

const HEADERS_END = '\r\n\r\n';
const COMPRESSED = 0x40;
/** RFC 7692 §7.2.2: what the sender has taken off the end. */
const DEFLATE_TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

export interface FramedWireOptions {
  readonly seat: Seat;
  readonly path: string | null;
  readonly onOpen: () => void;
  readonly onText: (bytes: Buffer, start: number, end: number) => void;
}

export class FramedWire {
  readonly #socket: Socket;
  readonly #options: FramedWireOptions;
  readonly #reader = new FrameReader((first, bytes, start, end) => this.#handleFrame(first, bytes, start, end));
  /** What has come of the answer to the handshake; null once it is read. */
  #head: Buffer | null;
  #closed = false;

  constructor(options: FramedWireOptions) {
    const { seat, path } = options;
    this.#options = options;
    this.#head = path === null ? null : Buffer.alloc(0);
    this.#socket = connect({ port: seat.port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#open());
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('close', () => this.#fail('was closed'));
  }

  send(text: string): void {
    this.#socket.write(clientFrame(OPCODE.text, Buffer.from(text)));
  }

  close(): void {
    this.#closed = true;
    this.#socket.end();
  }

  #fail(message: string): void {
    if (!this.#closed) this.#options.seat.fail(message);
  }

  #open(): void {
    const { path, seat } = this.#options;
    if (path === null) return this.#options.onOpen();
    const extensions = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
    this.#socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${seat.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        (seat.deflate ? `Sec-WebSocket-Extensions: ${extensions}\r\n` : '') +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==${HEADERS_END}`,
    );
  }

  #read(chunk: Buffer): void {
    if (this.#head !== null) return this.#readHead(Buffer.concat([this.#head, chunk]));
    this.#options.seat.received(chunk.length);
    this.#reader.read(chunk);
  }

  #readHead(head: Buffer): void {
    const end = head.indexOf(HEADERS_END);
    this.#head = head;
    if (end === -1) return;
    const text = head.toString('latin1', 0, end);
    if (!text.startsWith('HTTP/1.1 101 ')) return this.#fail(`got ${text}`);
    this.#head = null;
    this.#options.onOpen();
    if (head.length > end + HEADERS_END.length) this.#read(head.subarray(end + HEADERS_END.length));
  }

  #handleFrame(first: number, bytes: Buffer, start: number, end: number): void {
    const opcode = first & 0x0f;
    if (opcode === OPCODE.text && (first & COMPRESSED) !== 0) {
      const text = inflateRawSync(Buffer.concat([bytes.subarray(start, end), DEFLATE_TAIL]), {
        finishFlush: constants.Z_SYNC_FLUSH,
      });
      this.#options.onText(text, 0, text.length);
    } else if (opcode === OPCODE.text) this.#options.onText(bytes, start, end);
    else if (opcode === OPCODE.ping) this.#socket.write(clientFrame(OPCODE.pong, bytes.subarray(start, end)));
    else this.#fail(`got a frame of opcode ${opcode}: ${bytes.toString('utf8', start, end).slice(0, 200)}`);
  }
}
