/**
 * What both ends count: how much was taken from the peer, what the peer has taken, and the frames kept until it has.
 *
 * The ledger belongs to one incarnation of a session and knows nothing of links. `enqueue` is the only place in Runnel where a frame
 * gets its number. Names follow PROTOCOL §1:
 *
 *     0 ……… acked ……… ob ═══ frames kept ═══ tx
 *
 * `ob` is `acked` except after `drop()` (PROTOCOL §8.6), when it runs ahead until the peer has caught up.
 */
import { utf8Length } from '../wire/utf8.ts';

/** One encoded frame. `text` has no line end; `size` is its length on the wire in bytes, line end included. */
export interface Line {
  readonly text: string;
  readonly size: number;
}

export const lineOf = (text: string): Line => ({ text, size: utf8Length(text) + 1 });

/** A ledger as it stands: its counters, and the frames kept from number `ob` on. */
export interface LedgerState<L extends Line> {
  readonly rx: number;
  readonly acked: number;
  /** Default: `acked`. */
  readonly ob?: number;
  readonly lines: readonly L[];
}

/** What a ledger keeps that keeps nothing: most of them, most of the time. Never written to. */
const NOTHING: undefined[] = [];

export class Ledger<L extends Line> {
  /** Frames taken from the peer. */
  #rx = 0;
  /** Highest `rx` heard from the peer. */
  #acked = 0;
  /** Number of the first frame kept. */
  #ob = 0;
  /** Frames kept: `#kept[#head]` is number `#ob`. Slots below `#head` are spent and cut off in bulk. */
  #kept: (L | undefined)[] = NOTHING;
  #head = 0;
  #bytes = 0;

  get rx(): number {
    return this.#rx;
  }
  get acked(): number {
    return this.#acked;
  }
  get ob(): number {
    return this.#ob;
  }
  get tx(): number {
    return this.#ob + this.#kept.length - this.#head;
  }
  /** How many frames are kept. */
  get count(): number {
    return this.#kept.length - this.#head;
  }
  /** Bytes of the frames kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Goes on where another ledger of the same incarnation has stopped. Only for a ledger that nothing was done with. */
  restore({ rx, acked, ob = acked, lines }: LedgerState<L>): void {
    this.#rx = rx;
    this.#acked = acked;
    this.#ob = ob;
    for (const line of lines) this.enqueue(line);
  }

  /** Numbers a frame and keeps it; returns its number. */
  enqueue(line: L): number {
    if (this.#kept === NOTHING) this.#kept = [line];
    else this.#kept.push(line);
    this.#bytes += line.size;
    return this.tx - 1;
  }

  /** Counts one frame as taken. */
  take(): void {
    this.#rx += 1;
  }

  /** Whether a peer may honestly say that it has taken `rx` frames (PROTOCOL §7.4). */
  isPossible(rx: number): boolean {
    return rx >= this.#acked && rx <= this.tx;
  }

  /** The peer has taken `rx` frames: forget those. A lower `rx` than known is old news. Returns whether anything changed. */
  acknowledge(rx: number): boolean {
    if (rx <= this.#acked) return false;
    this.#acked = Math.min(rx, this.tx);
    while (this.#ob < this.#acked) {
      this.#bytes -= (this.#kept[this.#head] as L).size;
      this.#kept[this.#head] = undefined;
      this.#head += 1;
      this.#ob += 1;
    }
    if (this.#head === this.#kept.length) {
      this.#kept = NOTHING;
      this.#head = 0;
    } else if (this.#head > 64 && this.#head * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#head);
      this.#head = 0;
    }
    return true;
  }

  /** Whether the frames from number `base` on are all still here. */
  covers(base: number): boolean {
    return base >= this.#ob && base <= this.tx;
  }

  /** The frame with number `seq`, which must be kept. */
  at(seq: number): L {
    const line = this.#kept[this.#head + seq - this.#ob];
    if (line === undefined) throw new RangeError(`frame ${seq} is not kept (${this.#ob}…${this.tx})`);
    return line;
  }

  /** The frames from `base` on, up to about `bytesMax` bytes but at least one. */
  slice(base: number, bytesMax: number = Number.POSITIVE_INFINITY): L[] {
    // One at a time is what a broadcast to many brings, and an array that grows makes room for many.
    if (base === this.tx - 1) return [this.at(base)];
    const lines: L[] = [];
    let bytes = 0;
    for (let seq = base; seq < this.tx; seq += 1) {
      const line = this.at(seq);
      bytes += line.size;
      if (bytes > bytesMax && lines.length > 0) break;
      lines.push(line);
    }
    return lines;
  }

  /** PROTOCOL §8.6: forgets every frame kept; `acked` stays. */
  drop(): void {
    this.#ob = this.tx;
    this.#kept = NOTHING;
    this.#head = 0;
    this.#bytes = 0;
  }
}
