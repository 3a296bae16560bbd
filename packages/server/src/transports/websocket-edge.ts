/** WebSocket handshakes on our path. `ws` does the handshake and reads frames; see `WebSocketPort` for what becomes of them. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Code, encodeFrame, type Identity, Type } from '@runnel/protocol';
import { type Server, type ServerOptions, WebSocketServer } from 'ws';
import { acceptableOffers, NO_CONTEXT_TAKEOVER } from '../compression.ts';
import { Handshake } from '../handshake.ts';
import type { Edge } from './edge.ts';
import { PortedWebSocket } from './ported-websocket.ts';
import { WebSocketPort } from './websocket-port.ts';

/** How long a client may take to answer a close frame, ms. */
const CLOSE_MS = 5_000;

interface HandshakeRefusal {
  readonly status: 400 | 403 | 503;
  readonly code: Code;
  readonly reason: string;
  readonly retryMs?: number;
}

export class WebSocketEdge<I extends Identity> {
  readonly #edge: Edge<I>;
  readonly #handshakes: Server<typeof PortedWebSocket>;

  constructor(edge: Edge<I>) {
    this.#edge = edge;
    const { compresses } = edge;
    const options: ServerOptions<typeof PortedWebSocket> & { closeTimeout: number } = {
      WebSocket: PortedWebSocket,
      noServer: true,
      clientTracking: false,
      perMessageDeflate: compresses ? NO_CONTEXT_TAKEOVER : false,
      maxPayload: edge.limits.requestBodyBytes,
      // Checked in `WebSocketPort`, so that it ends like any other line that cannot be read.
      skipUTF8Validation: true,
      closeTimeout: CLOSE_MS,
      // `WebSocketPort` does it, and bounds what waits.
      autoPong: false,
      // Nothing of ours rides in a subprotocol.
      handleProtocols: () => false,
    };
    this.#handshakes = new WebSocketServer<typeof PortedWebSocket>(options);
  }

  /** A handshake on our path. Never throws; always answers or ends the socket. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#refusal(request);
    if (refusal !== null) return refuse(socket, refusal);
    // What is not acceptable is declined; `ws` would refuse the handshake.
    const { headers } = request;
    headers['sec-websocket-extensions'] = acceptableOffers(headers['sec-websocket-extensions']);
    this.#handshakes.handleUpgrade(request, socket, head, (ws) => this.#open(request, socket, ws));
  }

  #refusal(request: IncomingMessage): HandshakeRefusal | null {
    const { closingRetryMs, origins, transports, registry, socketsMax } = this.#edge;
    if (origins.judge(request.headers) === 'refused') {
      return { status: 403, code: 'forbidden_origin', reason: origins.reasonFor(request.headers) };
    }
    if (!transports.has('websocket')) {
      return { status: 400, code: 'transport_unavailable', reason: 'transport websocket is not offered' };
    }
    if (closingRetryMs !== null) {
      return { status: 503, code: 'server_closing', reason: 'the server is closing', retryMs: closingRetryMs };
    }
    if (registry.linkCount >= socketsMax) {
      return { status: 503, code: 'overloaded', reason: 'too many sockets are open', retryMs: 5_000 };
    }
    return null;
  }

  #open(request: IncomingMessage, socket: Duplex, ws: PortedWebSocket): void {
    this.#edge.turn((now) => {
      ws.port = new WebSocketPort<I>(this.#edge, ws, socket, Handshake.ofWebSocket(request), now);
    });
  }
}

function destroyItself(this: Duplex): void {
  this.destroy();
}

function refuse(socket: Duplex, { status, code, reason, retryMs = 0 }: HandshakeRefusal): void {
  const body = `${encodeFrame([Type.goaway, code, reason, retryMs])}\n`;
  // Node has taken its own listener off.
  socket.on('error', destroyItself);
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n` +
      `Cache-Control: no-store, no-transform\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
