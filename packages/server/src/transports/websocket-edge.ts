/** WebSocket handshakes on our path. `ws` does the handshake and reads frames; see `WebSocketPort` for what becomes of them. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Code, encodeFrame, type Identity, RunnelError, Type } from '@runnel/protocol';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { acceptableOffers, NO_CONTEXT_TAKEOVER } from '../compression.ts';
import { Handshake } from '../handshake.ts';
import type { Edge } from './edge.ts';
import { WebSocketPort } from './websocket-port.ts';

/** How long a client may take to answer a close frame, ms. */
const CLOSE_MS = 5_000;

interface HandshakeRefusal {
  readonly status: 400 | 403 | 503;
  readonly code: Code;
  readonly reason: string;
  readonly retryMs?: number;
}

/** Where the listeners, which are the same functions for all sockets, find the port they are called for. */
const port = Symbol('port');
type Ported = { [port]?: WebSocketPort<Identity> };

export class WebSocketEdge<I extends Identity> {
  readonly #edge: Edge<I>;
  readonly #handshakes: WebSocketServer;

  constructor(edge: Edge<I>) {
    this.#edge = edge;
    const { compresses } = edge;
    const options: ServerOptions & { closeTimeout: number } = {
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
    this.#handshakes = new WebSocketServer(options);
  }

  /** A handshake on our path. Never throws; always answers or ends the socket. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node has taken its own listener off. No arrow function: it would keep the request as long as the socket lives.
    socket.on('error', destroyItself);
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

  #open(request: IncomingMessage, socket: Duplex, ws: WebSocket): void {
    this.#edge.turn((now) => {
      const opened = new WebSocketPort(this.#edge, ws, socket, new Handshake(request), now);
      (ws as Ported)[port] = opened as WebSocketPort<Identity>;
      (socket as Ported)[port] = opened as WebSocketPort<Identity>;
    });
    ws.on('message', handleMessage);
    ws.on('ping', handlePing);
    ws.on('error', handleError);
    ws.on('close', handleClose);
    socket.on('drain', handleDrain);
  }
}

function handleMessage(this: WebSocket & Ported, data: unknown, isBinary: boolean): void {
  // `ws` gives Buffers unless told otherwise.
  this[port]?.handleMessage(data as Buffer, isBinary);
}

function handlePing(this: WebSocket & Ported, data: Buffer): void {
  this[port]?.handlePing(data);
}

/** What `ws` or zlib cannot read: it is said in the close frame by now. Broken sockets show in 'close' as well. */
function handleError(this: WebSocket & Ported, error: Error & { code?: string }): void {
  if (!error.code?.startsWith('WS_ERR') && !error.code?.startsWith('Z_')) return;
  const tooLarge = error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
  this[port]?.handleFault(new RunnelError(tooLarge ? 'frame_too_large' : 'protocol_error', error.message));
}

function handleClose(this: WebSocket & Ported): void {
  this[port]?.handleClosed();
}

function handleDrain(this: Duplex & Ported): void {
  this[port]?.handleDrain();
}

function destroyItself(this: Duplex): void {
  this.destroy();
}

function refuse(socket: Duplex, { status, code, reason, retryMs = 0 }: HandshakeRefusal): void {
  const body = `${encodeFrame([Type.goaway, code, reason, retryMs])}\n`;
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n` +
      `Cache-Control: no-store, no-transform\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
