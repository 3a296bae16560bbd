/** Runnel inside a framework that calls `(request, response, next)`: Express, Connect, and what is like them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Door } from '../doors.ts';
import type { HttpServer } from './http-server.ts';

export type Middleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

export interface MiddlewareTarget {
  readonly doorOf: (url: string | undefined) => Door | null;
  readonly request: (request: IncomingMessage, response: ServerResponse, door: Door) => void;
  /** Takes the upgrades of the server that a request came in on. */
  readonly attachUpgrades: (server: HttpServer) => void;
}

/**
 * Stream and poll come through the framework. WebSocket handshakes never reach one, so the first request that comes through is used to find the server
 * behind it, whose handshakes on the path are taken from then on.
 */
export function createMiddleware({ doorOf, request, attachUpgrades }: MiddlewareTarget): Middleware {
  const known = new WeakSet<HttpServer>();
  return (incoming, response, next) => {
    // Where the framework has mounted us below a path it takes that path off `url`.
    const { originalUrl } = incoming as { originalUrl?: string };
    const door = doorOf(originalUrl) ?? doorOf(incoming.url);
    if (door === null) return next();
    const { server } = incoming.socket as { server?: HttpServer };
    if (server !== undefined && !known.has(server)) {
      known.add(server);
      attachUpgrades(server);
    }
    request(incoming, response, door);
  };
}
