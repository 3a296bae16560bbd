/** The request behind an attach, as `authenticate` sees it, and what is kept of it for later. */
import type { IncomingHttpHeaders } from 'node:http';

declare global {
  namespace Express {
    /** What express-session, passport and others declare to put on a request. */
    interface Request {}
  }
}

/**
 * The request behind an attach, as far as `authenticate` may rely on it. Over HTTP it is the request itself; of the one that opened a WebSocket it is what
 * is listed here, without the headers of the handshake itself. Whatever the middlewares of `use` put on it is there as well, and typed as they declare it: `request.user`, `request.session` …
 */
export interface AttachRequest extends Express.Request {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly socket: {
    /** Unknown where `fetchHandler` was asked. */
    readonly remoteAddress?: string | undefined;
    /** True over TLS that ends here, and not at a proxy. */
    readonly encrypted?: boolean | undefined;
  };
  /** What `fetchHandler` was given; absent elsewhere. */
  readonly fetchRequest?: Request | undefined;
}

/** What there is of every request. */
type PlainRequest = Pick<AttachRequest, 'method' | 'url' | 'headers' | 'socket'>;

/** What a WebSocket's handshake has used up. */
const SPENT = new Set([
  'connection',
  'upgrade',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
]);

/**
 * What is kept of a request for as long as the session or socket that it opened. A request with its parsed headers is several kilobytes, and would be kept
 * only because the client may attach on it once more, or refresh its credentials. One flat string is a tenth of that.
 */
export class Handshake {
  readonly #packed: string;
  /** Whether the app has said itself who it is, so that `authenticate` was not asked. */
  readonly known: boolean;

  constructor(request: PlainRequest, known = false) {
    const { method, headers, socket } = request;
    const { remoteAddress, encrypted } = socket;
    // Where a framework has mounted us below a path it takes that path off `url`.
    const { originalUrl: url = request.url } = request as { readonly originalUrl?: string };
    this.#packed = JSON.stringify({ method, url, headers, socket: { remoteAddress, encrypted } });
    this.known = known;
  }

  /** Of the request that opened a WebSocket: without those headers that are of no use after it. */
  static ofWebSocket({ method, url, headers, socket }: PlainRequest): Handshake {
    const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !SPENT.has(name)));
    return new Handshake({ method, url, headers: kept, socket });
  }

  unpack(): AttachRequest {
    return JSON.parse(this.#packed) as AttachRequest;
  }
}
