/** A request that came to another node, and was forwarded to the one that has its session (PROTOCOL §12.1). */
import { Readable } from 'node:stream';
import type { AttachRequest } from '../handshake.ts';
import type { CallListener, HttpCall } from '../transports/http-call.ts';

/** A request on its way between two nodes. */
export interface ForwardedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: AttachRequest['headers'];
  readonly socket: AttachRequest['socket'];
  readonly body: string;
}

/** What the node answers that has its session. */
export interface ForwardedAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: string;
}

/** Nobody waits for the answer any more. */
const GONE: ForwardedAnswer = { status: 499, headers: [], body: '' };

export class RemoteCall implements HttpCall {
  readonly method: string;
  readonly url: string;
  readonly headers: AttachRequest['headers'];
  readonly request: AttachRequest;
  readonly body: Readable = Readable.from([]);
  readonly bodyRead: Buffer;
  readonly keepsAlive = false;
  readonly unsentBytes = 0;
  listener: CallListener | null = null;
  /** Settles with what goes back. Never rejects. */
  readonly answered: Promise<ForwardedAnswer>;
  #settle: (answer: ForwardedAnswer) => void = () => {};
  #over = false;

  constructor({ method, url, headers, socket, body }: ForwardedRequest, signal: AbortSignal) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.request = { method, url, headers, socket } as AttachRequest;
    this.bodyRead = Buffer.from(body);
    this.answered = new Promise((resolve) => {
      this.#settle = resolve;
    });
    signal.addEventListener('abort', () => this.#end(GONE), { once: true });
  }

  answer(status: number, headers: readonly string[], body: Buffer | string | null): void {
    this.#end({ status, headers, body: body?.toString() ?? '' });
  }

  /** Only requests with a whole answer are forwarded. */
  open(): void {
    this.destroy();
  }
  write(): void {}
  end(): void {}
  endConnection(): void {}

  destroy(): void {
    this.#end(GONE);
  }

  #end(answer: ForwardedAnswer): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle(answer);
    this.listener?.handleClosed();
  }
}
