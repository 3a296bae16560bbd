/** How bytes get from one end of a middlebox to the other. */

/** `deliver` is called for each piece, in order; with an empty one where `bytes` is empty, which is the end. */
export interface Carriage {
  carry(bytes: Buffer, deliver: (piece: Buffer) => void): void;
}

export const AT_ONCE: Carriage = { carry: (bytes, deliver) => deliver(bytes) };

interface Freight {
  readonly bytes: Buffer;
  readonly deliver: (piece: Buffer) => void;
}

/** One byte in each turn of the event loop, so that whoever reads gets each by itself. */
export class SingleBytes implements Carriage {
  readonly #waiting: Freight[] = [];
  #position = 0;

  carry(bytes: Buffer, deliver: (piece: Buffer) => void): void {
    this.#waiting.push({ bytes, deliver });
    if (this.#waiting.length === 1) setImmediate(this.#next);
  }

  readonly #next = (): void => {
    const [first] = this.#waiting;
    if (first === undefined) return;
    first.deliver(first.bytes.subarray(this.#position, this.#position + 1));
    this.#position += 1;
    if (this.#position >= first.bytes.length) {
      this.#waiting.shift();
      this.#position = 0;
    }
    if (this.#waiting.length > 0) setImmediate(this.#next);
  };
}

/** A line of a bandwidth, which all connections share. */
export class ThinLine implements Carriage {
  static readonly #PIECE_BYTES = 512;
  readonly #bytesPerMs: number;
  readonly #waiting: Freight[] = [];
  /** When the piece that goes first has passed. */
  #dueAt = 0;

  constructor(kilobitsPerSecond: number) {
    this.#bytesPerMs = kilobitsPerSecond / 8;
  }

  carry(bytes: Buffer, deliver: (piece: Buffer) => void): void {
    const idle = this.#waiting.length === 0;
    for (let at = 0; at === 0 || at < bytes.length; at += ThinLine.#PIECE_BYTES) {
      this.#waiting.push({ bytes: bytes.subarray(at, at + ThinLine.#PIECE_BYTES), deliver });
    }
    if (idle) this.#begin(performance.now());
  }

  #begin(now: number): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#dueAt = now + first.bytes.length / this.#bytesPerMs;
    setTimeout(() => this.#pass(), this.#dueAt - performance.now());
  }

  #pass(): void {
    const first = this.#waiting.shift();
    if (first === undefined) return;
    // The next has begun when this one was due, however late the timer is.
    this.#begin(this.#dueAt);
    first.deliver(first.bytes);
  }
}
