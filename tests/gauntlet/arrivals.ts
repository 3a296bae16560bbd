/** Numbered messages of one direction: how they are made, and what has become of them at the other end. */
import { type Disorder, OrderedLog } from '../support/ordered-log.ts';

export interface Numbered {
  readonly n: number;
  readonly at: number;
  readonly text: string;
}

/** Characters of one to four bytes, and those that lines, JSON and HTTP have a use for. */
const ALPHABET = 'a\n"\\ é漢🜁{}\r\0';

/** Message `n`, sent now. `length` counts UTF-16 units, about. */
export function numbered(n: number, length = 60): Numbered {
  return { n, at: performance.now(), text: textOf(n, length) };
}

function textOf(n: number, length: number): string {
  const line = `${n} ${ALPHABET} `;
  return line.repeat(Math.ceil(length / line.length));
}

/** What went wrong with one direction. All empty: nothing did. */
export interface Faults extends Disorder {
  readonly altered: readonly number[];
}

export const FAULTLESS: Faults = { lost: [], repeated: [], reordered: [], altered: [] };

export class Arrivals {
  readonly log = new OrderedLog();
  readonly #altered: number[] = [];
  /** The longest that a message has taken, ms; through an outage, from the end of that. */
  slowestMs = 0;
  /** When the message that has come last was sent; before any has come, long ago. */
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #outageEndedAt = Number.NEGATIVE_INFINITY;

  readonly add = ({ n, at, text }: Numbered): void => {
    // The first says when things begin, not how long they take.
    if (n > 0) this.slowestMs = Math.max(this.slowestMs, performance.now() - Math.max(at, this.#outageEndedAt));
    if (text !== textOf(n, text.length)) this.#altered.push(n);
    this.#lastSentAt = at;
    this.log.add(n);
  };

  /** Nothing could arrive before this moment: what was sent earlier is no slower than what is sent now. */
  endOutage(): void {
    this.#outageEndedAt = performance.now();
  }

  /** Resolves when something has arrived that was sent after `at`. */
  async after(at: number): Promise<void> {
    while (this.#lastSentAt <= at) await this.log.reach(this.log.size + 1);
  }

  /** What is wrong, given that 0 … `count` − 1 were sent. */
  faults(count: number): Faults {
    return { ...this.log.disorder(count), altered: this.#altered };
  }
}
