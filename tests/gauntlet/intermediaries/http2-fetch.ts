/** `fetch` over HTTP/2, as browsers have it and Node has not: many requests on one connection. */
import { type ClientHttp2Session, connect } from 'node:http2';
import { Readable } from 'node:stream';

export class Http2Fetch {
  readonly #ca: string;
  #session: ClientHttp2Session | null = null;

  constructor(ca: string) {
    this.#ca = ca;
  }

  readonly fetch = (url: string, { headers, body, method = 'GET', signal }: RequestInit): Promise<Response> => {
    const { origin, pathname } = new URL(url);
    const stream = this.#connected(origin).request({
      ':method': method,
      ':path': pathname,
      ...Object.fromEntries(new Headers(headers)),
    });
    const abort = (): void => void stream.destroy(new Error('aborted'));
    signal?.addEventListener('abort', abort, { once: true });
    stream.on('close', () => signal?.removeEventListener('abort', abort));
    return new Promise((resolve, reject) => {
      stream.on('error', reject);
      stream.on('response', ({ ':status': status = 502 }) =>
        resolve(new Response(Readable.toWeb(stream) as ReadableStream, { status })),
      );
      stream.end(body);
    });
  };

  close(): void {
    this.#session?.destroy();
  }

  #connected(origin: string): ClientHttp2Session {
    if (this.#session === null || this.#session.destroyed || this.#session.closed) {
      this.#session = connect(origin, { ca: this.#ca });
      // Each of its requests fails with it.
      this.#session.on('error', () => {});
    }
    return this.#session;
  }
}
