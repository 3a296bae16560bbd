import type { Transport } from '@runnel/client';
import type { Tally } from './contract.ts';
import { shortDuration } from './time-text.ts';
import { isBetter, lossText, transportNames } from './transport-text.ts';

interface Loss {
  readonly at: number;
  readonly transport: Transport;
  readonly reason: string;
  /** What took over; null: nothing has yet. */
  rescue: { readonly at: number; readonly transport: Transport } | null;
}

interface EpisodeStart {
  readonly at: number;
  /** What began it: `The network changed`. */
  readonly title: string;
  /** What carried the session then; null: nothing. */
  readonly transport: Transport | null;
  readonly tally: Tally;
}

/** With so many losses each of them is not worth a word. */
const toldMax = 2;
/** A link that has not noticed by then is taken to have survived. */
const unnoticedMs = 6_000;
/** What was held back comes soon after a link is there again; only then the messages are counted. */
const settledMs = 1_500;

/** One time of trouble, from what began it until the connection is as good as before: what was lost, what took over, and whether a message was. */
export class Episode {
  readonly at: number;
  readonly #title: string;
  readonly #before: Transport | null;
  readonly #tally: Tally;
  readonly #losses: Loss[] = [];
  #transport: Transport | null;
  /** When something began to carry the session. */
  #carriedAt: number;
  #isOver = false;

  constructor({ at, title, transport, tally }: EpisodeStart) {
    this.at = at;
    this.#title = title;
    this.#before = transport;
    this.#transport = transport;
    this.#carriedAt = at;
    this.#tally = tally;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The link was lost, or had to be replaced. */
  lost(at: number, transport: Transport, reason: string): void {
    this.#losses.push({ at, transport, reason, rescue: null });
    this.#transport = null;
  }

  /** The link was found to be silent: it has been so since the episode began, or since the last loss. */
  doubted(at: number, transport: Transport): void {
    this.lost(this.#losses.length === 0 ? this.at : at, transport, 'silent');
  }

  /** Something carries the session from here on. */
  carried(at: number, transport: Transport): void {
    const loss = this.#losses.at(-1);
    if (loss !== undefined) loss.rescue ??= { at, transport };
    this.#transport = transport;
    this.#carriedAt = at;
  }

  /** Ends it, where all is as good as before. `calm`: what began it is over. */
  settle(now: number, calm: boolean): void {
    if (!calm || this.#transport === null) return;
    const asBefore = this.#before === null || !isBetter(this.#before, this.#transport);
    const quietMs = this.#losses.length > 0 ? settledMs : unnoticedMs;
    if (asBefore && now - this.#carriedAt > quietMs) this.#isOver = true;
  }

  /** All of it in one sentence, so far. */
  text(tally: Tally): string {
    return `${this.#title}: ${[...this.#story(), this.#standing()].filter((part) => part !== '').join(', ')}; ${this.#messages(tally)}`;
  }

  #story(): string[] {
    if (this.#losses.length > toldMax) {
      const gaps = this.#losses.flatMap(({ at, rescue }) => (rescue === null ? [] : [rescue.at - at]));
      return [`${this.#losses.length} links lost`, `the longest gap ${shortDuration(Math.max(0, ...gaps))}`];
    }
    return this.#losses.flatMap(({ at, transport, reason, rescue }) => [
      `${transportNames[transport]} ${lossText(reason)}`,
      ...(rescue === null
        ? []
        : [
            rescue.transport === transport
              ? `back after ${shortDuration(rescue.at - at)}`
              : `${transportNames[rescue.transport]} took over after ${shortDuration(rescue.at - at)}`,
          ]),
    ]);
  }

  #standing(): string {
    if (this.#transport === null) return 'nothing carries the session';
    const name = transportNames[this.#transport];
    if (this.#losses.length === 0) return this.isOver ? `${name} did not notice` : `${name} carries on`;
    if (!this.isOver) return `${name} carries on`;
    const changed = this.#losses.at(-1)?.rescue?.transport !== this.#transport || this.#losses.length > toldMax;
    return changed ? `back on ${name} after ${shortDuration(this.#carriedAt - this.at)}` : '';
  }

  #messages(now: Tally): string {
    const received = now.received - this.#tally.received;
    const missing = now.missing - this.#tally.missing;
    const wrong = now.repeated - this.#tally.repeated + now.disordered - this.#tally.disordered;
    if (missing > 0) return `${missing} of ${received + missing} messages are missing`;
    if (wrong > 0) return `${wrong} of ${received} messages came twice or out of order`;
    return received === 0 ? 'no message was due' : `no message was lost: ${received} received, in order`;
  }
}
