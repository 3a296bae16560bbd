/**
 * Sessions that go from one node to another (PROTOCOL §12.2): those that come are `Arrivals`, those that go are `Departures`, and both go by the same
 * tombstones. Here is what concerns a session wherever it is.
 */
import type { Identity } from '@runnel/protocol';
import type { Application } from '../application.ts';
import type { Expiring } from '../credentials.ts';
import type { LocationRefusal } from '../transports/edge.ts';
import { Arrivals, type ArrivalsOptions, type Claimed } from './arrivals.ts';
import {
  Departures,
  type DeparturesOptions,
  type EstateNews,
  type FreeQuestion,
  type MessagesQuestion,
  type TakeQuestion,
} from './departures.ts';
import type { SearchAnswer, SearchQuestion } from './session-search.ts';
import { Tombstones } from './tombstones.ts';

/** What another node asks that has to do with sessions on their way. */
export type HandOverQuestion = TakeQuestion | SearchQuestion | MessagesQuestion | FreeQuestion;

/** What is above the sessions: it knows what else belongs to one. */
export type SessionKeeper<I extends Identity & Expiring> = Pick<
  Application<I>,
  'handOver' | 'adopt' | 'relayed' | 'callFrame'
>;

export interface HandOversOptions<I extends Identity & Expiring> extends ArrivalsOptions<I>, DeparturesOptions<I> {
  readonly application: SessionKeeper<I>;
}

export class HandOvers<I extends Identity & Expiring> {
  readonly #options: HandOversOptions<I>;
  readonly #tombstones: Tombstones;
  readonly #arrivals: Arrivals<I>;
  readonly #departures: Departures<I>;

  constructor(options: HandOversOptions<I>) {
    this.#options = options;
    this.#tombstones = new Tombstones(options.clock, options.registry.limits.ttlMs);
    this.#arrivals = new Arrivals(options, this.#tombstones);
    this.#departures = new Departures(options, this.#tombstones, this.#arrivals);
  }

  /** What is kept for sessions that are not here. */
  get counts(): { readonly tombstones: number; readonly estates: number; readonly pending: number } {
    return { tombstones: this.#tombstones.size, estates: this.#departures.count, pending: this.#arrivals.count };
  }

  /** See {@link Departures.isNeeded}. */
  get isNeeded(): boolean {
    return this.#departures.isNeeded;
  }

  /** See {@link Arrivals.take}. */
  take(attach: Claimed, identity: I): Promise<LocationRefusal | null> {
    return this.#arrivals.take(attach, identity);
  }

  /**
   * The node that has the session of a key, where that is another one: what the client was told last, by `hint`, or to whom the session was given. A request
   * that was `forwarded` goes on only by the latter: another node took us for the owner, and is not sent on by guesses.
   */
  ownerOf(
    key: string,
    { hint, forwarded }: { readonly hint: string | undefined; readonly forwarded: boolean },
  ): string | null {
    const { node, readKey, registry } = this.#options;
    const read = readKey(key);
    if (!read?.genuine || registry.session(read.sid) !== undefined) return null;
    const guess = hint ?? read.node;
    return forwarded || guess === node ? this.#tombstones.trace(read.sid) : guess;
  }

  /** Answers another node. */
  answer(question: HandOverQuestion, from: string): unknown {
    switch (question.ask) {
      case 'take':
        return this.#departures.give(question, from);
      case 'search':
        return this.#whereabouts(question);
      case 'messages':
        return this.#departures.messages(question);
      case 'free':
        return this.#departures.free(question);
    }
  }

  /** What is known here of sessions that another node looks for. */
  #whereabouts({ sids }: SearchQuestion): SearchAnswer {
    const { clock, node, registry } = this.#options;
    const now = clock.now();
    return sids.flatMap((sid) => {
      const isKnown =
        registry.session(sid) !== undefined ||
        this.#arrivals.pending(sid) !== undefined ||
        registry.finished(sid, now) !== null;
      const at = isKnown ? node : this.#tombstones.trace(sid);
      return at === null ? [] : [[sid, at] as const];
    });
  }

  /** Hears of a session that was here, or has come. */
  hear(news: EstateNews, from: string): void {
    if (news.tell !== 'lines') return this.#departures.hear(news);
    const { application, onError, post, registry } = this.#options;
    const { sid, relay } = news;
    const session = registry.session(sid);
    const pending = this.#arrivals.pending(sid);
    if (session !== undefined) application.relayed(session, relay);
    else if (pending !== undefined) {
      // It has overtaken the session that it is for.
      void pending.done.then(() => this.hear(news, from)).catch(onError);
    } else {
      // It has gone on to another node, perhaps back to the one that says so: tombstones go where a session comes, so this has an end.
      const to = this.#tombstones.trace(sid);
      if (to !== null) post.tell(to, news);
    }
  }
}
