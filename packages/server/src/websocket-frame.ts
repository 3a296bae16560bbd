/** Frames of RFC 6455 §5.2 as a server sends them: final and unmasked. */

/** RFC 6455 §5.2: FIN and opcode 1. */
const FINAL_TEXT = 0x81;
/** Likewise with RSV1, the sign of a compressed message (RFC 7692 §6). */
export const COMPRESSED_TEXT = 0xc1;
const FINAL_CLOSE = 0x88;
const FINAL_PONG = 0x8a;

/** How many bytes stand before a payload of `payloadBytes`. */
export function frameHeaderBytes(payloadBytes: number): number {
  if (payloadBytes < 126) return 2;
  return payloadBytes < 65_536 ? 4 : 10;
}

/** Writes the header of a text frame at `at`; returns where the payload begins. */
export function writeFrameHeader(target: Buffer, at: number, payloadBytes: number, first: number = FINAL_TEXT): number {
  target[at] = first;
  if (payloadBytes < 126) {
    target[at + 1] = payloadBytes;
    return at + 2;
  }
  if (payloadBytes < 65_536) {
    target[at + 1] = 126;
    return target.writeUInt16BE(payloadBytes, at + 2);
  }
  target[at + 1] = 127;
  target.writeUInt16BE(0, at + 2);
  return target.writeUIntBE(payloadBytes, at + 4, 6);
}

/** RFC 6455 §5.5.1. `reason` has 123 bytes at most; it goes with a code only. */
export function closeFrame(code: number | null, reason: string): Buffer {
  if (code === null) return controlFrame(FINAL_CLOSE, 0);
  const frame = controlFrame(FINAL_CLOSE, 2 + Buffer.byteLength(reason));
  frame.write(reason, frame.writeUInt16BE(code, 2));
  return frame;
}

/** RFC 6455 §5.5.3: the answer to a ping with `data`, 125 bytes at most. */
export function pongFrame(data: Buffer): Buffer {
  const frame = controlFrame(FINAL_PONG, data.length);
  data.copy(frame, 2);
  return frame;
}

function controlFrame(first: number, payloadBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(2 + payloadBytes);
  frame[0] = first;
  frame[1] = payloadBytes;
  return frame;
}
