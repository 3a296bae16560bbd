/** Invariant 7 for a channel that drops messages for slow subscribers: what one of them missed was dropped for a reason, and the newest of each key came. */
import type { Position } from '@runnel/protocol';
import { symbolOf } from './app-contract.ts';
import type { ChannelTruth } from './channel-truth.ts';
import { check } from './violation.ts';

export class SkipView {
  readonly #channel: string;
  readonly #truth: ChannelTruth;
  /** Where the subscription began, or began anew without the messages before. */
  #begin: Position = { epoch: '', offset: 0 };
  #skipped: { readonly from: number; readonly to: number }[] = [];
  /** The newest text of each symbol. */
  readonly #latest = new Map<string, string>();
  /** Whether the last thing told was that something is skipped. */
  #endsInSkip = false;

  constructor(channel: string, truth: ChannelTruth) {
    this.#channel = channel;
    this.#truth = truth;
  }

  begin(position: Position): void {
    this.#begin = position;
    this.#skipped = [];
    this.#latest.clear();
    this.#endsInSkip = false;
  }

  message(text: string): void {
    this.#endsInSkip = false;
    const symbol = symbolOf(text);
    if (symbol !== null) this.#latest.set(symbol, text);
  }

  skip(from: number, to: number): void {
    this.#skipped.push({ from, to });
    this.#endsInSkip = true;
  }

  /** When nothing is under way. */
  check(): void {
    const name = this.#channel;
    check(!this.#endsInSkip, 7, () => `the newest message of ${name} was skipped`);
    if (!name.startsWith('quotes/')) return;
    const newest = new Map<string, { readonly offset: number; readonly text: string }>();
    const log = this.#truth.log(name, this.#begin.epoch);
    for (const [offset, text] of log) {
      const symbol = symbolOf(text);
      if (symbol !== null && offset > (newest.get(symbol)?.offset ?? 0)) newest.set(symbol, { offset, text });
    }
    for (const [symbol, { offset, text }] of newest) {
      if (offset <= this.#begin.offset) continue;
      const latest = this.#latest.get(symbol);
      check(latest === text, 7, () => `of ${symbol} in ${name} ${latest} came last, and ${text} is the newest`);
    }
    for (const { from, to } of this.#skipped) {
      for (let offset = from; offset <= to; offset += 1) {
        const text = log.get(offset);
        if (text === undefined) continue;
        const last = newest.get(symbolOf(text) ?? '')?.offset ?? 0;
        check(last > offset, 7, () => `${text} at ${offset} of ${name} was skipped, and nothing has taken its place`);
      }
    }
  }
}
