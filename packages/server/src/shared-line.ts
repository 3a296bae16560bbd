/**
 * One frame, encoded at most once per carrier however many sessions it is sent to. A broadcast is byte-identical for all of them (PROTOCOL §5.16), so their
 * outboxes and sockets hold the same line and write the same bytes.
 */
import type { Line } from '@runnel/protocol';
import { frameHeaderBytes, writeFrameHeader } from './websocket-frame.ts';

export class SharedLine implements Line {
  readonly text: string;
  readonly size: number;
  /** WebSocket frame header, text, `\n`: both encodings are parts of it. Made when either is first asked for. */
  #bytes: Buffer | null = null;
  #ndjson: Buffer | null = null;
  #frame: Buffer | null = null;

  constructor(text: string) {
    this.text = text;
    this.size = Buffer.byteLength(text) + 1;
  }

  /** The line and its `\n`, as it stands in a body (PROTOCOL §2). Shared: not to be written to. */
  get ndjson(): Buffer {
    this.#ndjson ??= this.#encoded().subarray(frameHeaderBytes(this.size - 1));
    return this.#ndjson;
  }

  /** A whole WebSocket text frame whose message is this line alone; its `\n` is left out (PROTOCOL §2). Shared: not to be written to. */
  get frame(): Buffer {
    this.#frame ??= this.#encoded().subarray(0, -1);
    return this.#frame;
  }

  /** Writes the line and its `\n` at `at`; returns the end. For lines on their way to one place only, which need no bytes of their own. */
  copyTo(target: Buffer, at: number): number {
    if (this.#bytes !== null) return at + this.ndjson.copy(target, at);
    const end = at + target.write(this.text, at);
    target[end] = 0x0a;
    return end + 1;
  }

  #encoded(): Buffer {
    if (this.#bytes !== null) return this.#bytes;
    const payloadBytes = this.size - 1;
    const bytes = Buffer.allocUnsafe(frameHeaderBytes(payloadBytes) + this.size);
    const start = writeFrameHeader(bytes, 0, payloadBytes);
    bytes.write(this.text, start);
    bytes[bytes.length - 1] = 0x0a;
    this.#bytes = bytes;
    return bytes;
  }
}

export function sharedLine(text: string): SharedLine {
  return new SharedLine(text);
}
