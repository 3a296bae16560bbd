/** Invariant 7 for a channel with a state: a subscriber's snapshot and the messages above its position make up the server's state. */
import type { Position } from '@runnel/protocol';
import type { Cells } from './app-contract.ts';
import { readCell } from './board.ts';
import type { ChannelTruth } from './channel-truth.ts';
import { check } from './violation.ts';

export class BoardView {
  readonly #channel: string;
  readonly #truth: ChannelTruth;
  #cells = new Map<string, number>();
  /** Whether a snapshot is due. Messages that were asked to rewind to may come before it. */
  #due = false;

  constructor(channel: string, truth: ChannelTruth) {
    this.#channel = channel;
    this.#truth = truth;
  }

  get due(): boolean {
    return this.#due;
  }

  /** Nothing that came before counts: the state comes next. */
  begin(): void {
    this.#due = true;
  }

  message(text: string): void {
    const [cell, version] = readCell(text);
    this.#cells.set(cell, Math.max(this.#cells.get(cell) ?? 0, version));
  }

  snapshot(data: unknown, { epoch, offset: reached }: Position): void {
    check(this.#due, 7, () => `a snapshot of ${this.#channel} came that nobody waits for`);
    this.#due = false;
    this.#cells = new Map(Object.entries(data as Cells));
    for (const [offset, text] of this.#truth.log(this.#channel, epoch)) {
      if (offset > reached) continue;
      const [cell, version] = readCell(text);
      check(
        (this.#cells.get(cell) ?? 0) >= version,
        7,
        () => `the snapshot of ${this.#channel} at ${reached} lacks ${text} of ${offset}`,
      );
    }
  }

  /** What is different from the server's state; empty: nothing. */
  difference(state: Cells): string {
    if (this.#due) return 'no snapshot has come';
    const names = new Set([...Object.keys(state), ...this.#cells.keys()]);
    return [...names]
      .filter((name) => state[name] !== this.#cells.get(name))
      .map((name) => `${name} is ${this.#cells.get(name)} and not ${state[name]}`)
      .join(', ');
  }
}
