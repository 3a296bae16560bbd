/**
 * What middlewares are given where there is no request of their kind: one that opened a WebSocket a while ago, or came by fetch. And what they are given in
 * place of the response in any case: the answer to an attach is Runnel's own, and a stream's body is not for others to wrap, compress or end.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex, Readable } from 'node:stream';
import type { AttachRequest } from './handshake.ts';

/** The request itself where it is one of node's, else one that was made after it, without a body. */
export function standInRequest(request: AttachRequest): IncomingMessage & AttachRequest {
  // Of HTTP/2 as well, whose requests are no `IncomingMessage`.
  if (request instanceof Readable) return request as IncomingMessage & AttachRequest;
  const { method, url = '/', headers, socket, fetchRequest } = request;
  const message = new IncomingMessage(new StandInSocket(socket) as unknown as Socket);
  message.httpVersionMajor = 1;
  message.httpVersionMinor = 1;
  message.httpVersion = '1.1';
  message.headers = headers;
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) message.rawHeaders.push(name, one);
  }
  message.complete = true;
  message.push(null);
  Object.assign(message, { method, url, originalUrl: url, fetchRequest });
  // What else the app has declared to be there is put there by its own middlewares.
  return message as IncomingMessage & AttachRequest;
}

/** A response whose output goes nowhere. It may be ended and destroyed like any other, and tells of both. */
export function standInResponse(request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.assignSocket(new StandInSocket({}) as unknown as Socket);
  // Without a listener an error would end the process.
  response.on('error', () => {});
  return response;
}

/** A connection on which nothing comes, and from which nothing goes out. */
class StandInSocket extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly encrypted: boolean;

  constructor({ remoteAddress, encrypted = false }: AttachRequest['socket']) {
    super();
    this.remoteAddress = remoteAddress;
    this.encrypted = encrypted;
  }

  override _read(): void {
    this.push(null);
  }
  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
  }

  // What middlewares ask of a socket.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
}
