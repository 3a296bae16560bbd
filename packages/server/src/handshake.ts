/**
 * What is kept of the request that opened a socket. A request with its parsed headers is several kilobytes, and would be kept as long as the socket lives only
 * because the client may attach on it once more. One flat string is a tenth of that.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** The request behind an attach, as far as `authenticate` may rely on it. Over HTTP it is the request itself. */
export interface AttachRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

export class Handshake {
  readonly #packed: string;

  constructor({ method, url, headers, socket: { remoteAddress } }: IncomingMessage) {
    this.#packed = JSON.stringify({ method, url, headers, socket: { remoteAddress } });
  }

  unpack(): AttachRequest {
    return JSON.parse(this.#packed) as AttachRequest;
  }
}
