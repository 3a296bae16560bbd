/**
 * One WebSocket as a link (PROTOCOL §6.5). Beyond its life as a link it keeps attaches in order: while the application is asked who the client is, whatever
 * came after the attach waits, but for probes and pings, which are answered at any time.
 *
 * It writes whole frames to the socket itself, compressed ones too, beside what `ws` writes there. That is safe because `ws` also writes nothing but whole
 * frames, each in one go: it holds a frame back only to compress a message or to read a Blob, and it is given neither; pong and close are all it has to say.
 * After its close frame nothing is written any more.
 */
import { isUtf8 } from 'node:buffer';
import type { Duplex } from 'node:stream';
import {
  type Attach,
  closeCodeOf,
  encodeFrame,
  type Identity,
  type LinkPort,
  RunnelError,
  readUp,
  type ServerLink,
  splitMessage,
  Type,
  type UpFrame,
} from '@runnel/protocol';
import type { WebSocket } from 'ws';
import type { Handshake } from '../handshake.ts';
import { LazyAbort } from '../lazy-abort.ts';
import { type SharedLine, sharedLine } from '../shared-line.ts';
import { type Carrier, CONGESTED_BYTES, type Edge, FLOODED_BYTES, type Located } from './edge.ts';
import type { SocketPort } from './ported-websocket.ts';

/** Frames that may wait for an attach to be authenticated. The client has no reason to send more than another attach. */
const WAITING_MAX = 16;
/** RFC 6455 §5.5: a control frame has 125 bytes, two of them the code. */
const REASON_BYTES_MAX = 123;

interface Pending {
  /** Aborted when the client goes. */
  readonly gone: LazyAbort;
  readonly frames: { readonly frame: UpFrame; readonly size: number }[];
}

export class WebSocketPort<I extends Identity> implements LinkPort<SharedLine>, Carrier, SocketPort {
  readonly #edge: Edge<I>;
  readonly #socket: Duplex;
  readonly #ws: WebSocket;
  readonly #link: ServerLink<SharedLine, I>;
  /** What remains of the request that opened it, for the attaches that come on it. */
  readonly #handshake: Handshake;
  /** The attach that waits for the application, and what came after it; null while none does. */
  #pending: Pending | null = null;
  /** Whether it listens for the socket to drain. */
  #awaitsDrain = false;

  constructor(edge: Edge<I>, ws: WebSocket, socket: Duplex, handshake: Handshake, now: number) {
    this.#edge = edge;
    this.#ws = ws;
    this.#socket = socket;
    this.#handshake = handshake;
    this.#link = edge.registry.connect(this, now);
    edge.enter(this);
  }

  get transport(): 'websocket' {
    return 'websocket';
  }

  // ——— down ———

  get congested(): boolean {
    return this.#socket.writableLength >= CONGESTED_BYTES;
  }

  write(lines: readonly SharedLine[]): void {
    if (lines.length === 0 || !this.#isOpen) return;
    // `extensions` is put together whenever it is asked for.
    const compressed = this.#edge.compresses && this.#ws.extensions !== '';
    this.#socket.write(this.#edge.framesOf(lines, compressed));
    this.#checkUnsent();
  }

  /** A ping of RFC 6455, which is not the protocol's own. */
  handlePing(data: Buffer): void {
    if (!this.#isOpen) return;
    this.#ws.pong(data);
    this.#checkUnsent();
  }

  /** Cuts off who has us write and does not read. Most sockets are never congested, and have no listener for what ends that. */
  #checkUnsent(): void {
    if (this.#socket.writableLength > FLOODED_BYTES) return this.#ws.terminate();
    if (!this.#socket.writableNeedDrain || this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    this.#socket.once('drain', () => {
      this.#awaitsDrain = false;
      this.#link.handleDrain();
    });
  }

  end(code: string, reason: string): void {
    this.#ws.close(closeCodeOf(code), cut(reason));
  }

  destroy(): void {
    this.#ws.terminate();
  }

  // ——— up ———

  handleMessage(data: Buffer, isBinary: boolean): void {
    if (!this.#isOpen) return;
    try {
      if (isBinary) throw new RunnelError('protocol_error', 'a WebSocket message is binary');
      if (!isUtf8(data)) throw new RunnelError('protocol_error', 'a WebSocket message is not UTF-8');
      const { limits } = this.#edge;
      for (const line of splitMessage(data.toString(), limits.lineBytes)) {
        const frame = readUp(line, limits);
        if (frame === null) this.#link.heard(this.#edge.driver.now());
        else this.#handleFrame(frame, Buffer.byteLength(line) + 1);
      }
    } catch (error) {
      this.handleFault(error);
    }
    this.#edge.driver.rearm();
  }

  /** What came up broke a rule, or what it asked for threw. */
  handleFault(error: unknown): void {
    if (!RunnelError.is(error)) this.#edge.report(error, 'frame');
    this.#edge.turn((now) => this.#link.handleFault(error, now));
  }

  handleClosed(): void {
    this.#pending?.gone.abort();
    this.#pending = null;
    this.#handshake.release();
    this.#edge.leave(this);
    this.#edge.turn((now) => this.#link.handleClosed(now));
  }

  get #isOpen(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  #handleFrame(frame: UpFrame, size: number): void {
    if (!this.#isOpen) return;
    const [type] = frame;
    if (this.#pending !== null && type !== Type.probe && type !== Type.ping && type !== Type.pong) {
      // PROTOCOL §6.5: between an attach and its welcome nothing numbered goes up, so a client that sends more than a few frames is not one of ours.
      if (this.#pending.frames.length >= WAITING_MAX) {
        throw new RunnelError('protocol_error', 'too many frames follow an attach that was not answered');
      }
      this.#pending.frames.push({ frame, size });
    } else if (type === Type.attach) this.#attach(frame[1]);
    else this.#link.handleFrame(frame, size, this.#edge.driver.now());
  }

  #attach(attach: Attach): void {
    if (attach.mode !== 'websocket') {
      throw new RunnelError('protocol_error', 'an attach on a WebSocket has mode websocket');
    }
    const gone = new LazyAbort();
    const request = this.#handshake.unpack();
    const { auth, gen } = attach;
    const verdict = this.#edge.located(attach, this.#edge.authenticator.judge({ request, auth, gen, gone }));
    if (!(verdict instanceof Promise)) return this.#admit(attach, verdict);
    const pending: Pending = { gone, frames: [] };
    this.#pending = pending;
    void verdict.then((said) => this.#resume(attach, said, pending));
  }

  /** The application has answered: the attach, and then what waited for it, in order. */
  #resume(attach: Attach, verdict: Located<I>, { frames }: Pending): void {
    this.#pending = null;
    if (!this.#isOpen) return;
    try {
      this.#admit(attach, verdict);
      // Another attach among them waits in its turn, and with it what is left.
      for (const { frame, size } of frames) this.#handleFrame(frame, size);
    } catch (error) {
      this.handleFault(error);
    }
    this.#edge.driver.rearm();
  }

  #admit(attach: Attach, verdict: Located<I>): void {
    if ('identity' in verdict) {
      const admission = { attach, identity: verdict.identity, carrier: { link: this.#link }, opening: this.#handshake };
      return this.#edge.admit(admission, this.#edge.driver.now());
    }
    const { refusal } = verdict;
    this.write([sharedLine(encodeFrame(refusal))]);
    if (refusal[0] === Type.goaway) this.end(refusal[1], refusal[2]);
  }
}

/** At most as many bytes as a close frame takes, and no half character. */
function cut(reason: string): string {
  if (Buffer.byteLength(reason) <= REASON_BYTES_MAX) return reason;
  // U+FFFD in place of a character that was cut in two would be longer than what was cut off.
  return new TextDecoder().decode(Buffer.from(reason).subarray(0, REASON_BYTES_MAX), { stream: true });
}
