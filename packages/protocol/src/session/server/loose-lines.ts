/**
 * Lines that wait for a session's next write and are not counted: they go down once, or never. Words are few, and nothing volatile takes their place; volatile
 * frames give way to newer ones.
 */
import type { Line } from '../ledger.ts';

/** Pings in one POST are answered, but a client that sends more of them than this has only the last ones answered. */
const WORDS_MAX = 8;

export class LooseLines<L extends Line> {
  /** Pongs and acks, the oldest dropped beyond `WORDS_MAX`. Emptied by `take` and `forgetWords`. */
  #words: L[] = [];
  /** Volatile frames, the oldest dropped beyond their bound. Emptied by `take`. */
  #volatile: L[] = [];
  /** Bytes of the volatile frames. */
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#words.length + this.#volatile.length === 0;
  }

  say(word: L): void {
    this.#words.push(word);
    if (this.#words.length > WORDS_MAX) this.#words.shift();
  }

  /** `bytesMax`: what volatile frames may hold, except that the newest always waits. */
  push(line: L, bytesMax: number): void {
    this.#volatile.push(line);
    this.#bytes += line.size;
    while (this.#bytes > bytesMax && this.#volatile.length > 1) {
      this.#bytes -= (this.#volatile.shift() as L).size;
    }
  }

  /** Everything, words first, about to be written. */
  take(): L[] {
    const lines = [...this.#words, ...this.#volatile];
    this.#words = [];
    this.#volatile = [];
    this.#bytes = 0;
    return lines;
  }

  /** Another generation begins: nobody waits for the answers of the last one. */
  forgetWords(): void {
    this.#words = [];
  }
}
