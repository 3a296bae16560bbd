/** Invariant 8 for a streamed answer: its reader goes on, stops for a while, or gives up. Parts come in order, once each, and never more than were allowed. */
import type { Random } from '@runnel/protocol/testing';
import type { Coverage } from './coverage.ts';
import { check } from './violation.ts';

export interface StreamReaderOptions {
  /** What was asked: `name/length`. */
  readonly text: string;
  /** Parts that may come at first, and that the reader keeps ahead. */
  readonly credit: number;
  readonly random: Random;
  readonly coverage: Coverage;
  /** Whether it may stop for a while. */
  readonly mayPause: () => boolean;
  /** Allows so many more parts. */
  readonly allow: (parts: number) => void;
  /** Calls `run` later. */
  readonly after: (ms: number, run: () => void) => void;
}

export class StreamReader {
  readonly #options: StreamReaderOptions;
  #received = 0;
  #allowed: number;
  /** Parts that were read, and in whose place others may be allowed. */
  #owed = 0;
  /** Whether the application reads nothing for now. */
  #paused = false;
  #over = false;

  constructor(options: StreamReaderOptions) {
    this.#options = options;
    this.#allowed = options.credit;
  }

  part(data: unknown): void {
    const { text, random, coverage, after, mayPause } = this.#options;
    const due = `${text}#${this.#received}`;
    check(!this.#over, 8, () => `${data} came after the end of ${text}`);
    check(data === due, 8, () => `${data} came where ${due} was due`);
    this.#received += 1;
    check(this.#received <= this.#allowed, 8, () => `${data} came, and ${this.#allowed} parts were allowed`);
    coverage.saw('part');
    this.#owed += 1;
    if (random.chance(0.08) && mayPause() && !this.#paused) {
      coverage.saw('reader paused');
      this.#paused = true;
      after(random.pick([100, 5_000, 40_000]), () => {
        this.#paused = false;
        this.#read();
      });
    }
    this.#read();
  }

  /** It is settled; `data` where it came to its end. */
  end(code: string | null, data: unknown): void {
    const { text, coverage } = this.#options;
    this.#over = true;
    if (code !== null) return coverage.saw(code === 'indeterminate' ? 'stream indeterminate' : 'stream failed');
    coverage.saw('streamed');
    const length = Number(text.split('/')[1]);
    check(
      data === text && this.#received === length,
      8,
      () => `${text} ended with ${data} after ${this.#received} parts`,
    );
  }

  /** As much as the reader has room for, in halves. */
  #read(): void {
    if (this.#paused || this.#over || this.#owed * 2 < this.#options.credit) return;
    this.#allowed += this.#owed;
    const parts = this.#owed;
    this.#owed = 0;
    this.#options.allow(parts);
  }
}
