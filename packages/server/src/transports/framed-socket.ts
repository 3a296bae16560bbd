/**
 * The server's end of an open WebSocket (RFC 6455): frames in, frames out, and the closing handshake, on a socket that the HTTP server has given away.
 *
 *     open ──► closing ──► ending ──► closed
 *       └────────────────────▲
 *
 * *closing*: our close frame is out; what the client sends is read for the sake of its own. *ending*: nothing is read or written any more, and the socket
 * ends after what was written; it is cut where that takes too long. There is no closure, buffer or timer for each socket: while nothing happens on it, it is
 * this object.
 */
import type { Duplex } from 'node:stream';
import { closeFrame, pongFrame } from '../websocket-frame.ts';
import { FrameFault, FrameReader, type FrameSink, NO_CODE } from './frame-reader.ts';

/** How long a client may take for its part of the end, ms. */
const CLOSE_MS = 5_000;
/** RFC 6455 §7.4.1 */
const INTERNAL = 1011;

/** Where the listeners, which are the same functions for all sockets, find whom they are called for. */
const framed = Symbol('framed');
type Owned = Duplex & { [framed]?: FramedSocket };

export abstract class FramedSocket implements FrameSink {
  readonly #socket: Duplex;
  #state: 'open' | 'closing' | 'ending' | 'closed' = 'open';
  /** Holds what has not come whole; null while nothing is open. */
  #reader: FrameReader | null = null;
  /** Cuts the socket; null until it is to end. */
  #timer: NodeJS.Timeout | null = null;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Of one message, bytes. */
  protected abstract readonly messageBytesMax: number;
  /** Whether messages may come compressed. */
  protected abstract readonly compressed: boolean;
  /** Bytes unsent at which a client is cut off that makes us answer and does not read. */
  protected abstract readonly unsentBytesMax: number;
  abstract handleMessage(data: Buffer, isBinary: boolean): void;
  /** What came was no frame; the close frame is out. */
  abstract handleFault(error: unknown): void;
  /** What was written has drained. */
  abstract handleDrain(): void;
  /** It is over, for whatever reason. Called once. */
  abstract handleClosed(): void;

  get isOpen(): boolean {
    return this.#state === 'open';
  }
  get isReading(): boolean {
    return this.#state === 'open' || this.#state === 'closing';
  }
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Begins to read. `head`: what came behind the handshake. */
  listen(head: Buffer): void {
    const socket: Owned = this.#socket;
    socket[framed] = this;
    socket.on('data', onData);
    socket.on('end', onEnd);
    socket.on('close', onClose);
    socket.on('drain', onDrain);
    if (head.length > 0) this.handleData(head);
  }

  /** Writes whole frames. */
  protected writeFrames(bytes: Buffer): void {
    if (this.#state !== 'open') return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength > this.unsentBytesMax) this.destroy();
  }

  /** Begins the closing handshake; `reason` has 123 bytes at most. */
  protected close(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#socket.write(closeFrame(code, reason));
    this.#limitEnd();
  }

  /** Ends it at once, without a word. */
  destroy(): void {
    if (this.#state !== 'closed') this.#state = 'ending';
    this.#socket.destroy();
  }

  handlePing(data: Buffer): void {
    this.writeFrames(pongFrame(data));
  }

  handleClose(code: number): void {
    if (this.#state === 'open') this.#socket.write(closeFrame(code === NO_CODE ? null : code, ''));
    this.handleEnd();
  }

  // ——— from the socket ———

  handleData(chunk: Buffer): void {
    if (!this.isReading) return;
    const reader = this.#reader ?? new FrameReader(this.messageBytesMax, this.compressed);
    try {
      reader.read(chunk, this);
      this.#reader = reader.isIdle || !this.isReading ? null : reader;
    } catch (error) {
      this.close(error instanceof FrameFault ? error.closeCode : INTERNAL, '');
      this.handleFault(error);
      this.handleEnd();
    }
  }

  /** Ends the socket after what was written: nothing more comes, or nothing more is wanted. */
  handleEnd(): void {
    if (!this.isReading) return;
    this.#state = 'ending';
    this.#reader = null;
    this.#socket.end();
    this.#limitEnd();
  }

  handleSocketClosed(): void {
    this.#state = 'closed';
    this.#reader = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.handleClosed();
  }

  // ——— inside ———

  #limitEnd(): void {
    this.#timer ??= setTimeout(cut, CLOSE_MS, this.#socket).unref();
  }
}

function onData(this: Owned, chunk: Buffer): void {
  this[framed]?.handleData(chunk);
}

function onEnd(this: Owned): void {
  this[framed]?.handleEnd();
}

function onClose(this: Owned): void {
  this[framed]?.handleSocketClosed();
}

function onDrain(this: Owned): void {
  this[framed]?.handleDrain();
}

function cut(socket: Duplex): void {
  socket.destroy();
}
