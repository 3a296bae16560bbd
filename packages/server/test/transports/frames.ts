/** Frames as a client writes them (RFC 6455 §5), and such as no client should. */
export interface FrameParts {
  readonly opcode: number;
  readonly payload?: Uint8Array;
  readonly fin?: boolean;
  /** Default: four bytes. Null: not masked. */
  readonly mask?: readonly [number, number, number, number] | null;
  readonly reserved?: number;
  /** What the header says in place of the payload's length. */
  readonly length?: bigint;
}

export function clientFrame(parts: FrameParts): Buffer {
  const { opcode, payload = Buffer.alloc(0), fin = true, mask = [1, 2, 3, 4], reserved = 0 } = parts;
  const length = parts.length ?? BigInt(payload.length);
  const masked = mask === null ? 0 : 0x80;
  let extended = Buffer.alloc(0);
  let short = Number(length);
  if (length > 65_535n) {
    short = 127;
    extended = Buffer.alloc(8);
    extended.writeBigUInt64BE(length);
  } else if (length > 125n) {
    short = 126;
    extended = Buffer.alloc(2);
    extended.writeUInt16BE(Number(length));
  }
  const head = Buffer.from([(fin ? 0x80 : 0) | (reserved << 4) | opcode, masked | short]);
  const body = Buffer.from(payload);
  if (mask !== null) for (const [at, byte] of body.entries()) body[at] = byte ^ (mask[at & 3] as number);
  return Buffer.concat([head, extended, Buffer.from(mask ?? []), body]);
}

export const textFrame = (text: string): Buffer => clientFrame({ opcode: 1, payload: Buffer.from(text) });
