/**
 * Sessions that go from here to other nodes (PROTOCOL §12.2). The node that is asked for one fences itself, gives everything away in the same turn, and leaves a
 * tombstone; nothing is applied after. What runs on for the session is its estate, which is kept until nobody needs it.
 */
import type { AppUpFrame, Identity, Position, SessionRecord, SessionRegistry } from '@runnel/protocol';
import type { Application } from '../application.ts';
import type { LogEntry } from '../brokers/broker.ts';
import type { Expiring } from '../credentials.ts';
import type { SharedLine } from '../shared-line.ts';
import type { Timing } from '../timing.ts';
import type { ApplicationRecord } from './application-record.ts';
import type { Arrivals } from './arrivals.ts';
import type { Relay } from './former-calls.ts';
import type { Post } from './post.ts';
import type { SessionEstate } from './session-estate.ts';
import type { Tombstones } from './tombstones.ts';

/** How long what a session left behind is kept for the node that took it, ms: longer than handlers take. */
export const ESTATE_MS = 60_000;
/** How long a node looks for messages of a channel without a log, ms. */
export const MESSAGES_MS = 2_000;

export interface TakeQuestion {
  readonly ask: 'take';
  readonly sid: string;
  /** Of the identity that attaches; a session is bound to it. */
  readonly user: string;
  readonly gen: number;
}

export type TakeAnswer =
  | { readonly session: SessionRecord; readonly application: ApplicationRecord }
  | { readonly fenced: number }
  | { readonly over: string }
  | { readonly elsewhere: string }
  | { readonly none: true };

export interface MessagesQuestion {
  readonly ask: 'messages';
  readonly sid: string;
  /** For which the session was taken: names the estate. */
  readonly gen: number;
  readonly channel: string;
  readonly until: Position;
}

export interface FreeQuestion {
  readonly ask: 'free';
  readonly sid: string;
  /** Names the estate, as above. */
  readonly gen: number;
  readonly channel: string;
}

/** Between the node that a session was taken from and the one that took it. */
export type EstateNews =
  | { readonly tell: 'lines'; readonly sid: string; readonly relay: Relay }
  | { readonly tell: 'arrived'; readonly sid: string; readonly gen: number }
  | { readonly tell: 'frame'; readonly sid: string; readonly gen: number; readonly frame: AppUpFrame };

export interface DeparturesOptions<I extends Identity & Expiring> {
  readonly node: string;
  readonly post: Post;
  readonly clock: Timing;
  readonly registry: SessionRegistry<SharedLine, I>;
  readonly application: Pick<Application<I>, 'handOver' | 'callFrame'>;
  /** Runs a turn of the registry. */
  readonly turn: (run: (now: number) => void) => void;
}

export class Departures<I extends Identity & Expiring> {
  readonly #options: DeparturesOptions<I>;
  readonly #tombstones: Tombstones;
  readonly #arrivals: Arrivals<I>;
  /** By sid and the generation that it was taken for: it may come back, and go again. */
  readonly #estates = new Map<string, SessionEstate<I>>();
  /** Likewise: sessions that were given away, and may still need something that they left here. */
  readonly #travelling = new Set<string>();

  constructor(options: DeparturesOptions<I>, tombstones: Tombstones, arrivals: Arrivals<I>) {
    this.#options = options;
    this.#tombstones = tombstones;
    this.#arrivals = arrivals;
  }

  get count(): number {
    return this.#estates.size;
  }

  /** Whether a session that was given away has yet to say that it has all that it needs of this node. */
  get isNeeded(): boolean {
    return this.#travelling.size > 0;
  }

  /** Gives a session away. */
  async give({ sid, user, gen }: TakeQuestion, to: string): Promise<TakeAnswer> {
    const { clock, node, registry } = this.#options;
    for (let other = this.#arrivals.pending(sid); other !== undefined; other = this.#arrivals.pending(sid)) {
      if (other.gen > gen || (other.gen === gen && node < to)) return { fenced: other.gen };
      await other.done;
    }
    const session = registry.session(sid);
    if (session === undefined) {
      const over = registry.finished(sid, clock.now());
      if (over !== null) return { over };
      const tombstone = this.#tombstones.get(sid);
      if (tombstone === undefined) return { none: true };
      return tombstone.gen >= gen ? { fenced: tombstone.gen } : { elsewhere: tombstone.to };
    }
    if (session.identity.id !== user) return { none: true };
    if (session.gen >= gen) return { fenced: session.gen };
    return this.#release(sid, gen, to);
  }

  #release(sid: string, gen: number, to: string): TakeAnswer {
    const { application, clock, node, post, registry, turn } = this.#options;
    const name = estateKey(sid, gen);
    let answer: TakeAnswer = { none: true };
    let relays = 0;
    turn((now) => {
      const session = registry.session(sid);
      if (session === undefined) return;
      // Who has the key has read the welcome.
      session.confirm();
      const released = application.handOver(session, {
        sendLines: (lines, open) => {
          const relay: Relay = { estate: { node, gen }, n: relays, lines, open };
          relays += 1;
          post.tell(to, { tell: 'lines', sid, relay } satisfies EstateNews);
        },
      });
      if (released === null) return;
      const { estate, record } = released;
      answer = { session: session.handOver(gen, estate.relay, now), application: record };
      this.#tombstones.set(sid, { gen, to });
      this.#estates.set(name, estate);
      this.#travelling.add(name);
      clock.after(ESTATE_MS, () => {
        estate.end(session);
        this.#estates.delete(name);
        this.#travelling.delete(name);
      });
    });
    return answer;
  }

  // ——— asked of an estate ———

  messages({ sid, gen, channel, until }: MessagesQuestion): Promise<readonly LogEntry[] | null> | null {
    return this.#estates.get(estateKey(sid, gen))?.messages(channel, until, MESSAGES_MS) ?? null;
  }

  /** Resolves when the session's publishes to a channel have been handled that came here; null: nothing is known of them any more. */
  free({ sid, gen, channel }: FreeQuestion): Promise<true> | null {
    return this.#estates.get(estateKey(sid, gen))?.whenFree(channel) ?? null;
  }

  hear(news: Exclude<EstateNews, { tell: 'lines' }>): void {
    const name = estateKey(news.sid, news.gen);
    const estate = this.#estates.get(name);
    if (news.tell === 'arrived') {
      this.#travelling.delete(name);
      estate?.handleArrived();
    } else if (estate !== undefined) this.#options.application.callFrame(estate.of, news.frame);
  }
}

const estateKey = (sid: string, gen: number): string => `${sid} ${gen}`;
