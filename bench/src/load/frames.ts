/** As much of RFC 6455 as a subscriber needs: reads a server's frames, writes a client's. */

export const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** `first` is the first byte of the frame's header: its low half is the opcode. */
export type OnFrame = (first: number, bytes: Buffer, start: number, end: number) => void;

/** Calls back for every whole frame; chunks may be cut anywhere. The bytes are only valid during the call. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  /** The beginning of a frame whose end has not come; null between frames. */
  #rest: Buffer | null = null;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  read(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    let at = 0;
    while (at < bytes.length) {
      const start = at + headerBytes(bytes, at);
      const end = start + payloadBytes(bytes, at);
      // A comparison with NaN, where not even the header is there, is false as well.
      if (!(end <= bytes.length)) {
        this.#rest = bytes.subarray(at);
        return;
      }
      this.#onFrame(bytes[at] as number, bytes, start, end);
      at = end;
    }
  }
}

function headerBytes(bytes: Buffer, at: number): number {
  const length = bytes[at + 1];
  if (length === undefined) return Number.NaN;
  return length < 126 ? 2 : length === 126 ? 4 : 10;
}

function payloadBytes(bytes: Buffer, at: number): number {
  const length = bytes[at + 1];
  if (length === undefined) return Number.NaN;
  if (length < 126) return length;
  const header = length === 126 ? 4 : 10;
  if (at + header > bytes.length) return Number.NaN;
  return length === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
}

/** A whole frame of fewer than 64 KiB. Masked with zeros, which RFC 6455 §5.3 allows to a client that has nothing to hide. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(payload.length < 126 ? 6 : 8);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | Math.min(payload.length, 126);
  if (payload.length >= 126) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}
