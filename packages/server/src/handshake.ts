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
    /** Unknown where `fetchHandler` was asked, and to who asks for the first time after the client has gone. */
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
/** What tells of a body that was read long ago. */
const OF_THE_BODY = new Set(['content-type', 'content-length', 'content-encoding', 'transfer-encoding']);

/** Between what is packed. Nothing of an HTTP request has one in it. */
const LINE_END = '\n';

/**
 * What is kept of a request for as long as the session or socket that it opened. A request with its parsed headers is several kilobytes, and would be kept
 * only because the client may attach on it once more, or refresh its credentials. One flat string is a tenth of that.
 *
 * While its connection carries the session, nothing is taken from what the connection holds by itself: node keeps the request of an answer that is open, and
 * makes an address of its own for each socket that is asked for it.
 */
export class Handshake {
  /** The request while it is held by its answer; else its method, its path, and names and values of its headers by turns. */
  #kept: PlainRequest | string;
  /** The connection, or what it said of itself. */
  #socket: AttachRequest['socket'];
  /** Whether the app has said itself who it is, so that `authenticate` was not asked. */
  readonly known: boolean;

  private constructor(kept: PlainRequest | string, socket: AttachRequest['socket'], known: boolean) {
    this.#kept = kept;
    this.#socket = socket;
    this.known = known;
  }

  /** Of a request that is about to be answered. */
  static ofRequest(request: PlainRequest, known = false): Handshake {
    return new Handshake(packed(request), copyOf(request.socket), known);
  }

  /** Of a request whose answer has an open end. To be released when that comes. */
  static ofStream(request: PlainRequest, known: boolean): Handshake {
    return new Handshake(request, request.socket, known);
  }

  /** Of the request that opened a WebSocket: without those headers that are of no use after it. To be released when the socket is closed. */
  static ofWebSocket(request: PlainRequest): Handshake {
    return new Handshake(packed(request, SPENT), request.socket, false);
  }

  /** The connection has gone: nothing of it is held any more. */
  release(): void {
    const kept = this.#kept;
    if (typeof kept !== 'string') this.#kept = packed(kept);
    this.#socket = copyOf(this.#socket);
  }

  unpack(): AttachRequest {
    const kept = this.#kept;
    const [method = '', url = '', ...headers] = (typeof kept === 'string' ? kept : packed(kept)).split(LINE_END);
    const socket = this.#socket;
    const request: PlainRequest = {
      method,
      url,
      headers: headersOf(headers),
      socket: {
        get remoteAddress() {
          return socket.remoteAddress;
        },
        get encrypted() {
          return socket.encrypted;
        },
      },
    };
    // What else the app has declared to be there is put there by its own middlewares.
    return request as AttachRequest;
  }
}

function copyOf({ remoteAddress, encrypted }: AttachRequest['socket']): AttachRequest['socket'] {
  return { remoteAddress, encrypted };
}

function packed(request: PlainRequest, without: ReadonlySet<string> = OF_THE_BODY): string {
  const { method = '', headers } = request;
  // Where a framework has mounted us below a path it takes that path off `url`.
  const { originalUrl: url = request.url ?? '' } = request as { readonly originalUrl?: string };
  const parts = [method, url];
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || without.has(name)) continue;
    if (typeof value === 'string') parts.push(name, asLine(value));
    else for (const one of value) parts.push(name, asLine(one));
  }
  // Joined, it is one string; concatenated, it would be kept as a tree of its parts.
  return parts.join(LINE_END);
}

/** A parser that is lenient must not give anybody headers that were not sent. */
function asLine(value: string): string {
  return value.includes(LINE_END) ? value.replaceAll(LINE_END, ' ') : value;
}

function headersOf(flat: readonly string[]): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (let at = 0; at < flat.length; at += 2) {
    const [name, value] = [flat[at] as string, flat[at + 1] as string];
    // Of what comes more than once node gives one value, but of this.
    if (name === 'set-cookie') headers[name] = [...(headers[name] ?? []), value];
    else headers[name] = value;
  }
  return headers;
}
