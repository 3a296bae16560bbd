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

/** One byte in each turn of the event loop, so that whoever reads gets each by itself; when many have come like this, a few. */
export class SingleBytes implements Carriage {
  static readonly #SINGLE = 120;
  static readonly #FEW = 7;
  readonly #waiting: Freight[] = [];
  #position = 0;

  carry(bytes: Buffer, deliver: (piece: Buffer) => void): void {
    this.#waiting.push({ bytes, deliver });
    if (this.#waiting.length === 1) setImmediate(this.#next);
  }

  readonly #next = (): void => {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const end = this.#position + (this.#position < SingleBytes.#SINGLE ? 1 : SingleBytes.#FEW);
    first.deliver(first.bytes.subarray(this.#position, end));
    this.#position = end;
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

/** Passes everything on in order, when its time has come. */
abstract class Delay implements Carriage {
  readonly #waiting: Freight[] = [];
  #lastDueAt = 0;

  carry(bytes: Buffer, deliver: (piece: Buffer) => void): void {
    const now = performance.now();
    this.#lastDueAt = Math.max(this.#lastDueAt, this.dueAt(now));
    this.#waiting.push({ bytes, deliver });
    // Whichever timer goes off, what came first goes first.
    setTimeout(() => this.#pass(), Math.ceil(this.#lastDueAt - now));
  }

  #pass(): void {
    const first = this.#waiting.shift();
    first?.deliver(first.bytes);
  }

  /** When what comes now may be passed on. */
  protected abstract dueAt(now: number): number;
}

/** What comes first takes its time, as where a tunnel is built when it is wanted. */
export class SlowStart extends Delay {
  readonly #ms: number;
  #openAt: number | null = null;

  constructor(ms: number) {
    super();
    this.#ms = ms;
  }

  protected override dueAt(now: number): number {
    this.#openAt ??= now + this.#ms;
    return this.#openAt;
  }
}

/** Some of it takes longer, as over radio: each piece a while between nothing and so much, by turns that look like chance. */
export class Jitter extends Delay {
  readonly #msMax: number;
  #turn = 0;

  constructor(msMax: number) {
    super();
    this.#msMax = msMax;
  }

  protected override dueAt(now: number): number {
    this.#turn = (this.#turn * 5 + 3) % 16;
    return now + (this.#msMax * this.#turn) / 15;
  }
}

/** Passes nothing for a part of each period, and then all of it at once, as a radio that sleeps; the same moments for all connections. */
export class Naps extends Delay {
  readonly #periodMs: number;
  readonly #napMs: number;

  constructor(periodMs: number, napMs: number) {
    super();
    this.#periodMs = periodMs;
    this.#napMs = napMs;
  }

  protected override dueAt(now: number): number {
    const into = now % this.#periodMs;
    return into < this.#napMs ? now - into + this.#napMs : now;
  }
}
