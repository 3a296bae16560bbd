/** A poll, or an attach by poll, that waits for something to answer with. PROTOCOL §6.3. */
import type { Line } from '../ledger.ts';
import type { Answer } from './ports.ts';

/** How many copies of one poll are held; a browser or proxy that repeats a request does so once or twice. */
const COPIES_MAX = 4;
const NONE: readonly never[] = [];

export interface HeldPollOptions<L extends Line> {
  /** Its number within the generation; 0 is the attach itself. */
  readonly n: number;
  /** Number of the first counted frame of the answer. */
  readonly rx: number;
  /** When it is answered even if there is nothing to say, ms. */
  readonly until: number;
  /** Whether it waits for the subscriptions that the attach asked for, rather than for the first frame. */
  readonly settling: boolean;
  readonly answer: Answer<L>;
}

export class HeldPoll<L extends Line> {
  readonly n: number;
  readonly rx: number;
  readonly until: number;
  readonly settling: boolean;
  /** Null when it was answered, or given up. */
  #answer: Answer<L> | null;
  /** Repetitions of the request; null: there are none. */
  #copies: Answer<L>[] | null = null;

  constructor(options: HeldPollOptions<L>) {
    this.n = options.n;
    this.rx = options.rx;
    this.until = options.until;
    this.settling = options.settling;
    this.#answer = options.answer;
  }

  /** Holds a repetition of the same request beside the first; false where there are too many. */
  join(answer: Answer<L>): boolean {
    this.#copies ??= [];
    if (this.#copies.length + 1 >= COPIES_MAX) return false;
    this.#copies.push(answer);
    return true;
  }

  /** The client has given a copy up. True when no copy is left. */
  leave(answer: Answer<L>): boolean {
    const copies = this.#copies ?? [];
    const at = copies.indexOf(answer);
    if (at >= 0) copies.splice(at, 1);
    else if (this.#answer === answer) this.#answer = copies.shift() ?? null;
    return this.#answer === null;
  }

  end(lines: readonly L[]): void {
    const answer = this.#answer;
    const copies = this.#copies ?? NONE;
    this.#answer = null;
    this.#copies = null;
    answer?.end(lines);
    for (const copy of copies) copy.end(lines);
  }
}
