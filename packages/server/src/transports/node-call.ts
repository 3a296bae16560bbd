/** A request of node's HTTP servers, HTTP/1 or HTTP/2. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AttachRequest } from '../handshake.ts';
import { Chunks, chunkSocketOf } from './chunks.ts';
import type { CallListener, HttpCall } from './http-call.ts';

const chunks = new Chunks();

/** Where the listeners, which are the same functions for all answers, find whom they are called for. */
const call = Symbol('call');
type Answered = ServerResponse & { [call]?: NodeCall };

export class NodeCall implements HttpCall {
  readonly body: IncomingMessage;
  readonly #response: ServerResponse;
  listener: CallListener | null = null;
  /** Whether the head of an open answer is out. */
  #isBegun = false;
  /** Whether what was written to last will say when it has drained. */
  #isDraining = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.body = request;
    this.#response = response;
    // A broken connection shows in 'close' as well; without a listener the error would end the process.
    response.on('error', ignore);
    (response as Answered)[call] = this;
    response.on('close', onClose);
  }

  get method(): string {
    return this.body.method ?? '';
  }
  get url(): string {
    return this.body.url ?? '';
  }
  get headers(): IncomingHttpHeaders {
    return this.body.headers;
  }
  get request(): AttachRequest {
    // What else the app has declared to be there is put there by its own middlewares.
    return this.body as IncomingMessage & AttachRequest;
  }
  /** Under a framework the body may have been read before (`express.text()`); what was made of it then stands in `body`. */
  get bodyRead(): Buffer | null {
    if (!this.body.readableEnded) return null;
    const { body } = this.body as { body?: unknown };
    if (typeof body === 'string') return Buffer.from(body);
    return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  }
  get keepsAlive(): boolean {
    return this.body.httpVersionMajor < 2 && this.#response.shouldKeepAlive;
  }
  get unsentBytes(): number {
    return this.#response.writableLength;
  }

  endConnection(): void {
    if (this.body.httpVersionMajor < 2) this.#response.shouldKeepAlive = false;
  }

  answer(status: number, headers: readonly string[], body: Buffer | string | null): void {
    this.#response.writeHead(status, headers as string[]);
    this.#response.end(body ?? undefined);
  }

  open(status: number, headers: readonly string[]): void {
    this.body.socket?.setNoDelay?.(true);
    // By itself and in one piece: node keeps the head as long as the answer, and else as the tree of the strings it was made of.
    this.#response.cork();
    this.#response.writeHead(status, headers as string[]);
    this.#response.flushHeaders();
    process.nextTick(uncork, this.#response);
  }

  write(bytes: Buffer): void {
    const socket = this.#isBegun ? chunkSocketOf(this.#response) : null;
    this.#isBegun = true;
    if (socket === null) this.#awaitDrain(this.#response, this.#response.write(bytes));
    else this.#awaitDrain(socket, socket.write(chunks.of(bytes)));
  }

  /** Node tells the response of what was written to it, and of nothing else. Most answers are never congested, and need no listener for it. */
  #awaitDrain(writtenTo: ServerResponse | Socket, hasRoom: boolean): void {
    if (hasRoom || this.#isDraining) return;
    this.#isDraining = true;
    writtenTo.once('drain', () => {
      this.#isDraining = false;
      this.listener?.handleDrain();
    });
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }
}

function onClose(this: Answered): void {
  this[call]?.listener?.handleClosed();
}

function uncork(response: ServerResponse): void {
  response.uncork();
}

function ignore(): void {}
