/**
 * A `Request` whose answer is a `Response`. The body of an open answer is pulled: nothing is handed on before somebody asks for it, so what waits here is
 * what has not been taken, and a reader that does not read is seen as any socket that does not drain.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { AttachRequest } from '../handshake.ts';
import type { CallListener, HttpCall } from './http-call.ts';

/** Nobody will read it: the client has gone. */
const GONE = 499;
/** From how much that waited on it is told that it does no more. */
const CROWDED_BYTES = 16_384;

export class FetchCall implements HttpCall {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly request: AttachRequest;
  readonly body: Readable;
  readonly bodyRead = null;
  readonly keepsAlive = false;
  listener: CallListener | null = null;
  /** Settles when the answer begins. Never rejects. */
  readonly response: Promise<Response>;
  #respond: (response: Response) => void = () => {};
  readonly #signal: AbortSignal;
  /** What was written and not pulled, and how much that is. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Of the open answer; null before there is one, and when it is over. */
  #stream: ReadableStreamDefaultController<Uint8Array> | null = null;
  /** Whether the reader has asked for more than there was. */
  #wanted = false;
  #ended = false;
  #closed = false;

  /** @throws TypeError where the body was read before */
  constructor(request: Request) {
    if (request.bodyUsed) throw new TypeError('The body of the request was read before: hand on one that was not.');
    const { pathname, search, host, protocol } = new URL(request.url);
    this.method = request.method;
    this.url = pathname + search;
    // Where there is no connection there may be no `Host` either; the page's own origin is known by the URL then.
    this.headers = { host, ...Object.fromEntries(request.headers) };
    const { method, url, headers } = this;
    const socket = { remoteAddress: undefined, encrypted: protocol === 'https:' };
    this.request = { method, url, headers, socket, fetchRequest: request } as AttachRequest;
    this.body = Readable.from(request.body === null ? [] : chunksOf(request.body), { objectMode: false });
    // A body that breaks off ends with its client.
    this.body.on('error', this.#leave);
    this.response = new Promise((resolve) => {
      this.#respond = resolve;
    });
    this.#signal = request.signal;
    if (this.#signal.aborted) queueMicrotask(this.#leave);
    else this.#signal.addEventListener('abort', this.#leave, { once: true });
  }

  get unsentBytes(): number {
    return this.#waitingBytes;
  }

  /** The connection is somebody else's; what is left of the body is not read. */
  endConnection(): void {
    this.body.destroy();
  }

  answer(status: number, headers: readonly string[], body: Buffer | string | null): void {
    // A copy: whoever gets it may transfer it, and these bytes may be part of something larger.
    const copied = typeof body === 'object' && body !== null ? new Uint8Array(body) : body;
    this.#respond(new Response(copied, { status, headers: pairs(headers) }));
    this.#close();
  }

  open(status: number, headers: readonly string[]): void {
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#stream = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#leave(),
      },
      { highWaterMark: 0 },
    );
    this.#respond(new Response(stream, { status, headers: pairs(headers) }));
  }

  write(bytes: Buffer): void {
    if (this.#stream === null || this.#ended) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#wanted) this.#pull();
  }

  end(): void {
    this.#ended = true;
    if (this.#waitingBytes === 0) this.#finish();
  }

  destroy(): void {
    this.#stream?.error(new Error('the server has ended the answer'));
    this.#respond(new Response(null, { status: 503 }));
    this.#close();
  }

  #pull(): void {
    const [first] = this.#waiting;
    this.#wanted = first === undefined;
    if (first === undefined) return;
    const chunk = this.#waiting.length === 1 ? new Uint8Array(first) : new Uint8Array(Buffer.concat(this.#waiting));
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#stream?.enqueue(chunk);
    if (this.#ended) this.#finish();
    else if (chunk.length >= CROWDED_BYTES) this.listener?.handleDrain();
  }

  #finish(): void {
    this.#stream?.close();
    this.#close();
  }

  /** The client has gone, or reads no further. */
  readonly #leave = (): void => {
    if (this.#closed) return;
    // Not with an error: frameworks would report it, for every page that is left.
    if (this.#signal.aborted) this.#stream?.close();
    this.#respond(new Response(null, { status: GONE }));
    this.#close();
  };

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal.removeEventListener('abort', this.#leave);
    this.#stream = null;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.listener?.handleClosed();
  }
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Nobody waits for what is left; that it could not be called off is nobody's affair either.
    reader.cancel().catch(() => {});
  }
}

function pairs(headers: readonly string[]): [string, string][] {
  const list: [string, string][] = [];
  for (let at = 0; at < headers.length; at += 2) list.push([headers[at] as string, headers[at + 1] as string]);
  return list;
}
