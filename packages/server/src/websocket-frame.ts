/** Text frames of RFC 6455 §5.2 as a server sends them: final and unmasked. */

/** RFC 6455 §5.2: FIN and opcode 1. */
const FINAL_TEXT = 0x81;
/** Likewise with RSV1, the sign of a compressed message (RFC 7692 §6). */
export const COMPRESSED_TEXT = 0xc1;

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
