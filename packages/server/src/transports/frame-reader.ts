/**
 * Reads the frames of RFC 6455 §5 that a client sends: masked, and compressed (RFC 7692) where that was agreed. Whole messages come out as soon as they are there. Bytes of a frame that has
 * not come whole are copied together, so that nothing is kept of the chunks, and memory stays below twice what was received, however small the pieces are.
 * A reader holds nothing between two messages, so whoever has none open needs none.
 */
import { isUtf8 } from 'node:buffer';
import { RunnelError } from '@runnel/protocol';
import { inflated } from '../compression.ts';

/** RFC 6455 §5.2. */
const FIN = 0x80;
const RESERVED = 0x70;
/** RFC 7692 §6: in the first frame of a compressed message. */
const COMPRESSED = 0x40;
const OPCODE = 0x0f;
const MASKED = 0x80;
const LENGTH = 0x7f;
const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
/** §5.5 */
const CONTROL_BYTES_MAX = 125;
const MASK_BYTES = 4;

/** §7.4.1: what a close frame without a code stands for. */
export const NO_CODE = 1005;

/** Whom a reader tells. What it is given is only good until it returns. */
export interface FrameSink {
  /** False: nothing more is read, of what came already neither. */
  readonly isReading: boolean;
  handleMessage(data: Buffer, isBinary: boolean): void;
  handlePing(data: Buffer): void;
  handleClose(code: number): void;
}

/** What came breaks RFC 6455, or a limit. Nothing can be read after it. */
export class FrameFault extends RunnelError {
  /** §7.4.1: broken rule, text that is none, more than is taken. */
  readonly closeCode: 1002 | 1007 | 1009;

  constructor(closeCode: FrameFault['closeCode'], message: string) {
    super(closeCode === 1009 ? 'frame_too_large' : 'protocol_error', message);
    this.closeCode = closeCode;
  }
}

/** Bytes that are put together; capacity doubles. */
class Gathered {
  #bytes: Buffer;
  #length: number;

  constructor(first: Buffer) {
    this.#bytes = Buffer.allocUnsafeSlow(first.length);
    this.#length = first.copy(this.#bytes);
  }

  get length(): number {
    return this.#length;
  }
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  push(more: Buffer): void {
    const length = this.#length + more.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    more.copy(this.#bytes, this.#length);
    this.#length = length;
  }
}

export class FrameReader {
  readonly #messageBytesMax: number;
  readonly #takesCompressed: boolean;
  /** A frame that has not come whole, from its first byte; null while none is open. */
  #frame: Gathered | null = null;
  /** From so many bytes of `#frame` on there is more to be known. */
  #wanted = 0;
  /** The message whose last frame has not come, and what kind it is; null while none is open. */
  #message: { readonly payload: Gathered; readonly first: number } | null = null;

  constructor(messageBytesMax: number, takesCompressed = false) {
    this.#messageBytesMax = messageBytesMax;
    this.#takesCompressed = takesCompressed;
  }

  /** Whether it holds nothing. */
  get isIdle(): boolean {
    return this.#frame === null && this.#message === null;
  }

  /** Takes over `chunk`, which it unmasks in place. @throws FrameFault */
  read(chunk: Buffer, sink: FrameSink): void {
    let bytes = chunk;
    if (this.#frame !== null) {
      this.#frame.push(chunk);
      if (this.#frame.length < this.#wanted) return;
      bytes = this.#frame.bytes;
      this.#frame = null;
    }
    let at = 0;
    while (at < bytes.length && sink.isReading) {
      const end = this.#take(bytes, at, sink);
      if (end < 0) {
        this.#frame = new Gathered(bytes.subarray(at));
        return;
      }
      at = end;
    }
  }

  /** The end of the frame at `at`; -1 where it has not come whole. */
  #take(bytes: Buffer, at: number, sink: FrameSink): number {
    const here = bytes.length - at;
    if (here < 2) return this.#wait(2);
    const first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    const opcode = first & OPCODE;
    this.#check(first, second);
    let length = second & LENGTH;
    let start = at + 2;
    if (length === 126) {
      if (here < 4) return this.#wait(4);
      length = bytes.readUInt16BE(start);
      start += 2;
    } else if (length === 127) {
      if (here < 10) return this.#wait(10);
      // More than a double counts exactly is more than any limit.
      length = bytes.readUInt32BE(start) * 2 ** 32 + bytes.readUInt32BE(start + 4);
      start += 8;
    }
    if (opcode < CLOSE && (this.#message?.payload.length ?? 0) + length > this.#messageBytesMax) {
      throw new FrameFault(1009, `a WebSocket message is larger than ${this.#messageBytesMax} bytes`);
    }
    start += MASK_BYTES;
    const end = start + length;
    if (end > bytes.length) return this.#wait(end - at);
    unmask(bytes, start, end);
    const payload = bytes.subarray(start, end);
    if (opcode < CLOSE) this.#data(first, payload, sink);
    else if (opcode === PING) sink.handlePing(payload);
    else if (opcode === CLOSE) sink.handleClose(closeCodeIn(payload));
    return end;
  }

  #wait(wanted: number): -1 {
    this.#wanted = wanted;
    return -1;
  }

  #check(first: number, second: number): void {
    const opcode = first & OPCODE;
    const isCompressed = this.#takesCompressed && (opcode === TEXT || opcode === BINARY) && (first & COMPRESSED) !== 0;
    if ((first & RESERVED) !== (isCompressed ? COMPRESSED : 0))
      throw new FrameFault(1002, 'a WebSocket frame has a reserved bit set');
    if ((second & MASKED) === 0) throw new FrameFault(1002, 'a WebSocket frame is not masked');
    if (opcode === CLOSE || opcode === PING || opcode === PONG) {
      if ((first & FIN) === 0) throw new FrameFault(1002, 'a WebSocket control frame is fragmented');
      if ((second & LENGTH) > CONTROL_BYTES_MAX) throw new FrameFault(1002, 'a WebSocket control frame is too long');
    } else if (opcode > BINARY) throw new FrameFault(1002, `a WebSocket frame has the unknown opcode ${opcode}`);
    else if ((opcode === CONTINUATION) !== (this.#message !== null)) {
      throw new FrameFault(1002, 'a WebSocket message begins within another, or goes on without one');
    }
  }

  #data(first: number, payload: Buffer, sink: FrameSink): void {
    const isFinal = (first & FIN) !== 0;
    const message = this.#message;
    if (message === null) {
      if (isFinal) this.#tell(first, payload, sink);
      else this.#message = { payload: new Gathered(payload), first };
      return;
    }
    message.payload.push(payload);
    if (!isFinal) return;
    this.#message = null;
    this.#tell(message.first, message.payload.bytes, sink);
  }

  /** `first`: of the message's first frame. */
  #tell(first: number, payload: Buffer, sink: FrameSink): void {
    const data = (first & COMPRESSED) === 0 ? payload : this.#inflated(payload);
    sink.handleMessage(data, (first & OPCODE) !== TEXT);
  }

  #inflated(payload: Buffer): Buffer {
    let data: Buffer | null;
    try {
      data = inflated(payload, this.#messageBytesMax);
    } catch {
      throw new FrameFault(1007, 'a compressed WebSocket message cannot be inflated');
    }
    if (data !== null) return data;
    throw new FrameFault(1009, `a WebSocket message is larger than ${this.#messageBytesMax} bytes when inflated`);
  }
}

/** §5.3; the mask stands right before the payload. */
function unmask(bytes: Buffer, start: number, end: number): void {
  const mask = start - MASK_BYTES;
  const a = bytes[mask] as number;
  const b = bytes[mask + 1] as number;
  const c = bytes[mask + 2] as number;
  const d = bytes[mask + 3] as number;
  let at = start;
  for (const whole = end - 3; at < whole; at += 4) {
    (bytes[at] as number) ^= a;
    (bytes[at + 1] as number) ^= b;
    (bytes[at + 2] as number) ^= c;
    (bytes[at + 3] as number) ^= d;
  }
  for (; at < end; at += 1) (bytes[at] as number) ^= bytes[mask + ((at - start) & 3)] as number;
}

/** §5.5.1 */
function closeCodeIn(payload: Buffer): number {
  if (payload.length === 0) return NO_CODE;
  const code = payload.length === 1 ? 0 : payload.readUInt16BE(0);
  const isDefined = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  if (!isDefined && (code < 3000 || code > 4999)) throw new FrameFault(1002, 'a WebSocket close frame has no code');
  if (!isUtf8(payload.subarray(2))) throw new FrameFault(1007, 'the reason of a WebSocket close frame is not UTF-8');
  return code;
}
