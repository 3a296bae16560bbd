/** A connection on which HTTP/1.1 requests go one after another; bodies are handed on as they come. */
import { connect, type Socket } from 'node:net';
import type { Seat } from './client.ts';

const CRLF = '\r\n';
const HEADERS_END = '\r\n\r\n';

export interface HttpWireOptions {
  readonly seat: Seat;
  readonly onBody: (bytes: Buffer, start: number, end: number) => void;
  /** The answer is complete. */
  readonly onEnd: () => void;
}

/** What comes next: a head, a chunk's size line, or so many bytes of body, of a chunk with its CRLF or of the whole. */
type Expected =
  | { readonly part: 'head' }
  | { readonly part: 'size' }
  | { readonly part: 'body' | 'chunk'; left: number };

export class HttpWire {
  readonly #options: HttpWireOptions;
  /** Null while the server has closed it, as servers do after a few idle seconds. */
  #socket: Socket | null = null;
  /** The request whose answer is due; null between requests. */
  #asked: string | null = null;
  /** Whether the socket has carried an answer before, and nothing of the next. */
  #isReused = false;
  #expected: Expected = { part: 'head' };
  /** The beginning of a line or head whose end has not come. */
  #rest: Buffer | null = null;
  #closed = false;

  constructor(options: HttpWireOptions) {
    this.#options = options;
  }

  get(path: string): void {
    this.#request(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${this.#options.seat.port}${HEADERS_END}`);
  }

  post(path: string, body: string): void {
    this.#request(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${this.#options.seat.port}\r\nContent-Type: text/plain;charset=UTF-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}${HEADERS_END}${body}`,
    );
  }

  close(): void {
    this.#closed = true;
    this.#socket?.end();
  }

  #request(text: string): void {
    this.#socket ??= this.#connect();
    this.#asked = text;
    this.#socket.write(text);
  }

  #connect(): Socket {
    const socket = connect({ port: this.#options.seat.port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (chunk) => this.#read(chunk));
    let isGone = false;
    const handleGone = (reason: string): void => {
      if (isGone || this.#closed) return;
      isGone = true;
      this.#socket = null;
      if (this.#asked === null) return;
      // The request has crossed the server's end of a connection that was idle too long: like a browser, ask again on another.
      if (this.#isReused) this.#askAgain(this.#asked);
      else this.#fail(`${reason} while it was answered: ${this.#asked.slice(0, 60)}`);
    };
    socket.on('error', (error) => handleGone(error.message));
    socket.on('end', () => handleGone('was closed'));
    return socket;
  }

  #askAgain(text: string): void {
    this.#isReused = false;
    this.#request(text);
  }

  #handleEnd(): void {
    this.#asked = null;
    this.#isReused = true;
    this.#options.onEnd();
  }

  #fail(message: string): void {
    if (!this.#closed) this.#options.seat.fail(message);
  }

  #read(chunk: Buffer): void {
    this.#isReused = false;
    this.#options.seat.received(chunk.length);
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    for (let at = 0; at < bytes.length; ) {
      const next = this.#take(bytes, at);
      if (next === null) {
        this.#rest = bytes.subarray(at);
        return;
      }
      at = next;
    }
  }

  /** Where to go on; null where more has to come first. */
  #take(bytes: Buffer, at: number): number | null {
    const expected = this.#expected;
    if (expected.part === 'head') return this.#takeHead(bytes, at);
    if (expected.part === 'size') return this.#takeSize(bytes, at);
    const end = Math.min(at + expected.left, bytes.length);
    const dataLeft = expected.part === 'chunk' ? expected.left - CRLF.length : expected.left;
    const dataEnd = Math.min(at + dataLeft, bytes.length);
    expected.left -= end - at;
    const isLast = expected.left === 0;
    if (isLast) this.#expected = { part: expected.part === 'chunk' ? 'size' : 'head' };
    if (dataEnd > at) this.#options.onBody(bytes, at, dataEnd);
    if (isLast && expected.part === 'body') this.#handleEnd();
    return end;
  }

  #takeHead(bytes: Buffer, at: number): number | null {
    const end = bytes.indexOf(HEADERS_END, at);
    if (end === -1) return null;
    const head = bytes.toString('latin1', at, end);
    if (!/^HTTP\/1\.1 20[04] /.test(head)) {
      this.#fail(`got ${bytes.toString('utf8', at).slice(0, 500)}`);
      return bytes.length;
    }
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) this.#expected = { part: 'size' };
    else {
      const left = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (left > 0) this.#expected = { part: 'body', left };
      else this.#handleEnd();
    }
    return end + HEADERS_END.length;
  }

  #takeSize(bytes: Buffer, at: number): number | null {
    const end = bytes.indexOf(CRLF, at);
    if (end === -1) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, end), 16);
    if (size > 0) {
      this.#expected = { part: 'chunk', left: size + CRLF.length };
      return end + CRLF.length;
    }
    // `0`, and an empty line in place of trailers.
    if (bytes.length < end + HEADERS_END.length) return null;
    this.#expected = { part: 'head' };
    this.#handleEnd();
    return end + HEADERS_END.length;
  }
}
