import type { Tally } from './contract.ts';
import { Sequence } from './sequence.ts';

interface Numbered {
  /** What came first: the numbers before it were never due. */
  readonly first: number;
  readonly sequence: Sequence;
}

/** Whether everything that is numbered came, once and in order: messages of rooms by their offsets, the pulse by its own count. */
export class Deliveries {
  readonly #kinds = new Map<string, Numbered>();
  // What was counted of kinds that were forgotten.
  #past: Tally = new Sequence().tally();

  /** @param kind what the numbers are of: they rise by one within it */
  take(kind: string, n: number): void {
    const known = this.#kinds.get(kind) ?? { first: n, sequence: new Sequence() };
    this.#kinds.set(kind, known);
    // What is older than the first was asked for later: it is no part of the sequence.
    if (n >= known.first) known.sequence.take(n - known.first);
  }

  /** The numbers of a kind begin again, or are over. */
  forget(kind: string): void {
    const known = this.#kinds.get(kind);
    if (known === undefined) return;
    this.#past = sum(this.#past, known.sequence.tally());
    this.#kinds.delete(kind);
  }

  tally(): Tally {
    return [...this.#kinds.values()].reduce((all, { sequence }) => sum(all, sequence.tally()), this.#past);
  }
}

function sum(a: Tally, b: Tally): Tally {
  return {
    received: a.received + b.received,
    missing: a.missing + b.missing,
    repeated: a.repeated + b.repeated,
    disordered: a.disordered + b.disordered,
  };
}
