/**
 * Several lines as the bytes of one write. Sessions with the same subscriptions mostly have the same lines to send in a turn, so the last batch is kept:
 * the next carrier in line is given the very same buffer.
 */
import type { SharedLine } from './shared-line.ts';
import { frameHeaderBytes, writeFrameHeader } from './websocket-frame.ts';

/** A message is only read when all of it has come; on a thin path a smaller one is progress sooner. Larger only where one line is. */
const MESSAGE_BYTES = 16_384;

export type Encode = (lines: readonly SharedLine[]) => Buffer;

/** The lines as they stand in a body. */
export function joinLines(lines: readonly SharedLine[]): Buffer {
  const target = Buffer.allocUnsafe(bytesOf(lines));
  let at = 0;
  for (const line of lines) at = line.copyTo(target, at);
  return target;
}

/** The lines as WebSocket messages of several lines each, one frame after the other (PROTOCOL §2). */
export function frameLines(lines: readonly SharedLine[]): Buffer {
  const together = bytesOf(lines);
  const messages = together <= MESSAGE_BYTES ? [{ end: lines.length, bytes: together }] : cut(lines);
  let bytes = 0;
  for (const message of messages) bytes += frameHeaderBytes(message.bytes) + message.bytes;
  const target = Buffer.allocUnsafe(bytes);
  let at = 0;
  let next = 0;
  for (const message of messages) {
    at = writeFrameHeader(target, at, message.bytes);
    for (; next < message.end; next += 1) at = (lines[next] as SharedLine).copyTo(target, at);
  }
  return target;
}

/** Likewise for who takes compressed messages: each line from `thresholdBytes` on is a message of its own, compressed once for all who are sent it. */
export function compressedFrames(thresholdBytes: number): Encode {
  return (lines) => {
    const frames: Buffer[] = [];
    let from = 0;
    for (const [at, line] of lines.entries()) {
      if (line.size < thresholdBytes) continue;
      if (from < at) frames.push(frameLines(lines.slice(from, at)));
      frames.push(line.compressedFrame);
      from = at + 1;
    }
    if (from < lines.length) frames.push(frameLines(lines.slice(from)));
    return Buffer.concat(frames);
  };
}

function bytesOf(lines: readonly SharedLine[]): number {
  let bytes = 0;
  for (const { size } of lines) bytes += size;
  return bytes;
}

function cut(lines: readonly SharedLine[]): { end: number; bytes: number }[] {
  const messages: { end: number; bytes: number }[] = [];
  let open: { end: number; bytes: number } | null = null;
  for (const [at, { size }] of lines.entries()) {
    if (open === null || open.bytes + size > MESSAGE_BYTES) {
      open = { end: at, bytes: 0 };
      messages.push(open);
    }
    open.end = at + 1;
    open.bytes += size;
  }
  return messages;
}

/** `encode` that gives the same buffer for the same lines asked for twice in a row. */
export function remembering(encode: Encode): Encode {
  let lastLines: readonly SharedLine[] = [];
  let lastBytes = Buffer.alloc(0);
  return (lines) => {
    if (!areSame(lines, lastLines)) {
      lastBytes = encode(lines) as typeof lastBytes;
      lastLines = lines;
    }
    return lastBytes;
  };
}

function areSame(some: readonly SharedLine[], others: readonly SharedLine[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at += 1) if (some[at] !== others[at]) return false;
  return true;
}
