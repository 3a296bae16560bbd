/**
 * Takes one path's requests and upgrades of an HTTP server before any listener sees them, and leaves all others as they would be without it.
 *
 * Listeners cannot do that: all of them are called, Express answers what it does not know with 404, and Node sends upgrades to the `upgrade` listeners as
 * soon as there is one. So this stands before the server's `emit`, where it does not matter who adds listeners before or after.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Door } from '../doors.ts';

export type HttpServer = Server | TlsServer | Http2Server | Http2SecureServer;

export interface Interceptor {
  /** What the request target is for; null: it is none of ours. */
  readonly doorOf: (url: string | undefined) => Door | null;
  /** Without it requests are left to the listeners, and only upgrades are taken. */
  readonly request?: ((request: IncomingMessage, response: ServerResponse, door: Door) => void) | undefined;
  /** Of the protocol's door. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Intercepts from here on; the result ends it. */
export function intercept(server: HttpServer, { doorOf, request, upgrade }: Interceptor): () => void {
  const emitter: EventEmitter = server;
  const inherited = !Object.hasOwn(emitter, 'emit');
  const original = emitter.emit;
  let active = true;

  function emit(this: EventEmitter, event: string | symbol, ...args: unknown[]): boolean {
    if (active && (event === 'request' || event === 'upgrade' || event === 'checkContinue')) {
      const [incoming, second, head] = args as [IncomingMessage, ServerResponse & Duplex, Buffer];
      const door = doorOf(incoming.url);
      if (event === 'upgrade') {
        if (door === 'protocol') {
          upgrade(incoming, second, head);
          return true;
        }
        // Ours is the only listener, so without us this would have been a request like any other.
        if (emitter.listenerCount('upgrade') === 1) return asRequest(emitter, incoming, second, head);
      } else if (door !== null && request !== undefined) {
        if (event === 'checkContinue') second.writeContinue();
        request(incoming, second, door);
        return true;
      }
    }
    return original.call(this, event, ...args);
  }

  emitter.emit = emit;
  // Without any listener Node makes a request of every upgrade.
  emitter.on('upgrade', ignore);
  // Without any listener an HTTP/2 server makes no requests of its streams.
  emitter.on('request', ignore);
  return () => {
    active = false;
    emitter.off('upgrade', ignore);
    emitter.off('request', ignore);
    // Somebody may have put themselves before us since; then we stay, without effect.
    if (emitter.emit !== emit) return;
    if (inherited) delete (emitter as { emit?: unknown }).emit;
    else emitter.emit = original;
  };
}

function ignore(): void {}

/**
 * Serves as a plain request what only our listener has made an upgrade of (`Upgrade: h2c`, which some clients send with every first request, is answered by
 * ignoring it). The connection starts anew, with the same bytes but for the header.
 */
function asRequest(server: EventEmitter, request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
  const { method, url, httpVersion, rawHeaders } = request;
  let text = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.toLowerCase() !== 'upgrade') text += `${name}: ${rawHeaders[at + 1]}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]));
  return server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket);
}
