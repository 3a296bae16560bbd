/** WebSocket handshakes on our path (RFC 6455 §4.2); see `WebSocketPort` for what becomes of them. */
import { createHash } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Code, encodeFrame, type Identity, Type } from '@runnel/protocol';
import { acceptedExtension } from '../compression.ts';
import { Handshake } from '../handshake.ts';
import type { Edge } from './edge.ts';
import { WebSocketPort } from './websocket-port.ts';

/** RFC 6455 §1.3 */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const VERSION = '13';
/** §4.1: a nonce of 16 bytes. */
const KEY_BYTES = 16;
const KEY_LENGTH = 24;

interface HandshakeRefusal {
  readonly status: 400 | 403 | 405 | 426 | 503;
  readonly code: Code;
  readonly reason: string;
  readonly retryMs?: number;
}

export class WebSocketEdge<I extends Identity> {
  readonly #edge: Edge<I>;

  constructor(edge: Edge<I>) {
    this.#edge = edge;
  }

  /** A handshake on our path. Never throws; always answers or ends the socket. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node has taken its own listener off. No arrow function: it would keep the request as long as the socket lives.
    socket.on('error', destroyItself);
    const refusal = this.#refusal(request);
    if (refusal !== null) return refuse(socket, refusal);
    // The client has gone already, or the socket is not ours.
    if (!socket.readable || !socket.writable) return void socket.destroy();
    // What the HTTP server has set for its connections. Sockets of proxies and tests may have neither.
    const { setTimeout: limitIdle, setNoDelay } = socket as Partial<Socket>;
    limitIdle?.call(socket, 0);
    setNoDelay?.call(socket, true);
    const offers = request.headers['sec-websocket-extensions'];
    const extension = this.#edge.compressedFromBytes < Number.POSITIVE_INFINITY ? acceptedExtension(offers) : null;
    socket.write(switching(request, extension));
    const opened = { socket, handshake: new Handshake(request), compressed: extension !== null };
    this.#edge.turn((now) => new WebSocketPort(this.#edge, opened, now).listen(head));
  }

  #refusal(request: IncomingMessage): HandshakeRefusal | null {
    const broken = handshakeFault(request);
    if (broken !== null) return broken;
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
}

function destroyItself(this: Duplex): void {
  this.destroy();
}

/** RFC 6455 §4.2.1; null: it is a handshake. */
function handshakeFault({ method, headers }: IncomingMessage): HandshakeRefusal | null {
  const code = 'protocol_error';
  if (method !== 'GET') return { status: 405, code, reason: 'a WebSocket handshake is a GET' };
  if (headers.upgrade?.toLowerCase() !== 'websocket')
    return { status: 400, code, reason: 'the upgrade is no WebSocket' };
  if (headers['sec-websocket-version'] !== VERSION) {
    return { status: 426, code, reason: `only version ${VERSION} of the WebSocket protocol is spoken` };
  }
  const key = headers['sec-websocket-key'];
  if (key?.length !== KEY_LENGTH || Buffer.from(key, 'base64').length !== KEY_BYTES) {
    return { status: 400, code, reason: 'Sec-WebSocket-Key is no nonce of 16 bytes' };
  }
  return null;
}

/** RFC 6455 §4.2.2. Nothing of ours rides in a subprotocol. */
function switching({ headers }: IncomingMessage, extension: string | null): string {
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${GUID}`).digest('base64');
  const extensions = extension === null ? '' : `Sec-WebSocket-Extensions: ${extension}\r\n`;
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${extensions}\r\n`;
}

function refuse(socket: Duplex, { status, code, reason, retryMs = 0 }: HandshakeRefusal): void {
  // RFC 6455 §4.4
  const also = status === 426 ? `Sec-WebSocket-Version: ${VERSION}\r\n` : '';
  const body = `${encodeFrame([Type.goaway, code, reason, retryMs])}\n`;
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n${also}Content-Type: application/octet-stream\r\n` +
      `Cache-Control: no-store, no-transform\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
