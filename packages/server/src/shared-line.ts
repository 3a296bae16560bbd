/**
 * One frame, encoded at most once per carrier however many sessions it is sent to. A broadcast is byte-identical for all of them (PROTOCOL §5.16), so their
 * outboxes and sockets hold the same line and write the same bytes.
 */
import type { Line } from '@runnel/protocol';
import { deflated } from './compression.ts';
import { COMPRESSED_TEXT, frameHeaderBytes, writeFrameHeader } from './websocket-frame.ts';

export class SharedLine implements Line {
  readonly text: string;
  readonly size: number;
  /** Each is made when it is first asked for. */
  #ndjson: Buffer | null = null;
  #frame: Buffer | null = null;
  #compressedFrame: Buffer | null = null;

  constructor(text: string) {
    this.text = text;
    this.size = Buffer.byteLength(text) + 1;
  }

  /** The line and its `\n`, as it stands in a body (PROTOCOL §2). Shared: not to be written to. */
  get ndjson(): Buffer {
    if (this.#ndjson === null) {
      this.#ndjson = Buffer.allocUnsafe(this.size);
      this.copyTo(this.#ndjson, 0);
    }
    return this.#ndjson;
  }

  /** A whole WebSocket text frame whose message is this line alone; its `\n` is left out (PROTOCOL §2). Shared: not to be written to. */
  get frame(): Buffer {
    if (this.#frame === null) {
      const payloadBytes = this.size - 1;
      this.#frame = Buffer.allocUnsafe(frameHeaderBytes(payloadBytes) + payloadBytes);
      this.#frame.write(this.text, writeFrameHeader(this.#frame, 0, payloadBytes));
    }
    return this.#frame;
  }

  /** Likewise compressed, where that makes it smaller (RFC 7692 §6). */
  get compressedFrame(): Buffer {
    this.#compressedFrame ??= this.#compressed();
    return this.#compressedFrame;
  }

  /** Writes the line and its `\n` at `at`; returns the end. For lines on their way to one place only, which need no bytes of their own. */
  copyTo(target: Buffer, at: number): number {
    const end = at + target.write(this.text, at);
    target[end] = 0x0a;
    return end + 1;
  }

  #compressed(): Buffer {
    const payload = deflated(this.text);
    if (payload.length >= this.size - 1) return this.frame;
    const frame = Buffer.allocUnsafe(frameHeaderBytes(payload.length) + payload.length);
    payload.copy(frame, writeFrameHeader(frame, 0, payload.length, COMPRESSED_TEXT));
    return frame;
  }
}

export function sharedLine(text: string): SharedLine {
  return new SharedLine(text);
}
