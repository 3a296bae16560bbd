/**
 * Sessions that go from one node to another (PROTOCOL §12.2). A node that an attach came to asks the one that has the session; that one fences itself, gives
 * everything away in the same turn, and leaves a *tombstone*, which says to whom. Nothing is applied after. Asking follows tombstones, whose generations
 * rise, so it comes to an end.
 */
import type { AppUpFrame, Attach, Identity, Position, SessionRecord, SessionRegistry } from '@runnel/protocol';
import { Type } from '@runnel/protocol';
import type { Application } from '../application.ts';
import type { LogEntry } from '../brokers/broker.ts';
import type { Expiring } from '../credentials.ts';
import type { ReadKey } from '../keys.ts';
import type { SharedLine } from '../shared-line.ts';
import type { Timing } from '../timing.ts';
import type { LocationRefusal } from '../transports/edge.ts';
import type { ApplicationRecord } from './application-record.ts';
import type { EstateName, Relay } from './former-calls.ts';
import type { FormerNode } from './former-node.ts';
import { type Post, PostFailure } from './post.ts';
import type { SessionEstate } from './session-estate.ts';
import { type SearchAnswer, type SearchQuestion, SessionSearch } from './session-search.ts';

/** How long an attach waits for a session that is elsewhere, ms. After that its client comes again. */
const TAKE_MS = 1_500;
/** How long a node may take to give a session away, ms. */
const GIVE_MS = 10_000;
/** When a client is to come again whose session could not be had for the moment, ms. */
const RETRY_MS = 300;
/** How long what a session left behind is kept for the node that took it, ms: longer than handlers take. */
const ESTATE_MS = 60_000;
/** How long a node is waited for to say that it has handled what came before, ms, until it is asked again. */
const FREE_MS = 5_000;
/** How long a node looks for messages of a channel without a log, ms. */
const MESSAGES_MS = 2_000;
/** Nodes asked for one attach, this one included. */
const ASKED_MAX = 16;
const TOMBSTONES_MAX = 100_000;

export interface TakeQuestion {
  readonly ask: 'take';
  readonly sid: string;
  /** Of the identity that attaches; a session is bound to it. */
  readonly user: string;
  readonly gen: number;
}

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

/** What of an attach says which session it means. */
export type Claimed = Pick<Attach, 'gen' | 'key' | 'node'>;

type NotHere = { readonly elsewhere: string } | { readonly none: true };

type TakeAnswer =
  | { readonly session: SessionRecord; readonly application: ApplicationRecord }
  | { readonly fenced: number }
  | { readonly over: string }
  | NotHere;

/** Between the node that a session was taken from and the one that took it. */
export type EstateNews =
  | { readonly tell: 'lines'; readonly sid: string; readonly relay: Relay }
  | { readonly tell: 'arrived'; readonly sid: string; readonly gen: number }
  | { readonly tell: 'frame'; readonly sid: string; readonly gen: number; readonly frame: AppUpFrame };

interface Tombstone {
  readonly gen: number;
  readonly to: string;
  readonly until: number;
}

/** What is above the sessions: it knows what else belongs to one. */
export type SessionKeeper<I extends Identity & Expiring> = Pick<
  Application<I>,
  'handOver' | 'adopt' | 'relayed' | 'callFrame'
>;

export interface HandOversOptions<I extends Identity & Expiring> {
  readonly node: string;
  readonly post: Post;
  readonly clock: Timing;
  readonly registry: SessionRegistry<SharedLine, I>;
  readonly application: SessionKeeper<I>;
  readonly readKey: (key: string) => ReadKey | null;
  /** Runs a turn of the registry. */
  readonly turn: (run: (now: number) => void) => void;
  readonly onError: (error: unknown) => void;
}

export class HandOvers<I extends Identity & Expiring> {
  readonly #options: HandOversOptions<I>;
  readonly #search: SessionSearch;
  /** Where sessions went that were here, the oldest first. */
  readonly #tombstones = new Map<string, Tombstone>();
  /** By sid and the generation that it was taken for: it may come back, and go again. */
  readonly #estates = new Map<string, SessionEstate<I>>();
  /** Likewise: sessions that were given away, and may still need something that they left here. */
  readonly #travelling = new Set<string>();
  /** By sid: the attach that asks for it now, and when it is done. One at a time asks for a session. */
  readonly #pending = new Map<string, { readonly gen: number; readonly done: Promise<LocationRefusal | null> }>();

  constructor(options: HandOversOptions<I>) {
    this.#options = options;
    this.#search = new SessionSearch(options.post, options.node);
  }

  /** What is kept for sessions that are not here. */
  get counts(): { readonly tombstones: number; readonly estates: number; readonly pending: number } {
    return { tombstones: this.#tombstones.size, estates: this.#estates.size, pending: this.#pending.size };
  }

  /** Whether a session that was given away has yet to say that it has all that it needs of this node. */
  get isNeeded(): boolean {
    return this.#travelling.size > 0;
  }

  /** Where a session went that was here; null: it was not, or that was forgotten. */
  trace(sid: string): string | null {
    const tombstone = this.#tombstones.get(sid);
    return tombstone !== undefined && this.#options.clock.now() < tombstone.until ? tombstone.to : null;
  }

  /** Brings the session of an attach here, if there is one. What the client is told instead of a welcome; null: it may be admitted. */
  async take(attach: Claimed, identity: I): Promise<LocationRefusal | null> {
    const key = this.#options.readKey(attach.key ?? '');
    if (!key?.genuine) return null;
    const { clock, registry } = this.#options;
    const until = clock.now() + TAKE_MS;
    const later: LocationRefusal = [Type.retry, attach.gen, RETRY_MS];
    // Later attaches wait, and find what the earlier one has brought.
    for (let other = this.#pending.get(key.sid); other !== undefined; other = this.#pending.get(key.sid)) {
      if (other.gen > attach.gen) return [Type.fenced, other.gen];
      if (clock.now() >= until) return later;
      await this.#inTime(other.done, until, null);
    }
    if (registry.session(key.sid) !== undefined) return null;
    // A session that comes later than its client waits for it here.
    const done = this.#ask(attach, identity, key).finally(() => this.#pending.delete(key.sid));
    this.#pending.set(key.sid, { gen: attach.gen, done: done.catch(() => null) });
    const refusal = await this.#inTime(done, until, later);
    // A later attach at another node may have waited for it here, and has it by now.
    const wentFor = this.#tombstones.get(key.sid)?.gen ?? 0;
    return refusal === null && wentFor >= attach.gen ? [Type.fenced, wentFor] : refusal;
  }

  /** What `done` resolves to, or `otherwise` where it has not by `until`. */
  async #inTime<T>(done: Promise<T>, until: number, otherwise: T): Promise<T> {
    const { clock } = this.#options;
    let cancelTimer: () => void = () => {};
    const late = new Promise<T>((resolve) => {
      cancelTimer = clock.after(Math.max(until - clock.now(), 0), () => resolve(otherwise));
    });
    try {
      return await Promise.race([done, late]);
    } finally {
      cancelTimer();
    }
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
    return forwarded || guess === node ? this.trace(read.sid) : guess;
  }

  /** Asks whoever may have the session, the likeliest first. Only where none of them does, and nobody knows of it, it is lost. */
  async #ask(attach: Claimed, identity: I, { sid, node: origin }: ReadKey): Promise<LocationRefusal | null> {
    const question: TakeQuestion = { ask: 'take', sid, user: identity.id, gen: attach.gen };
    const likely = [attach.node, this.trace(sid), origin].filter((guess) => typeof guess === 'string');
    try {
      // The node that knew where it went may be gone, or have begun anew.
      const said =
        (await this.#follow(likely, question)) ?? (await this.#follow(await this.#search.find(sid), question));
      if (said === null) return null;
      const { answer, from } = said;
      if ('fenced' in answer) return [Type.fenced, answer.fenced];
      if ('over' in answer) return [Type.goaway, answer.over, 'the session has ended', 0, attach.gen];
      this.#adopt(answer, identity, { node: from, gen: attach.gen });
      return null;
    } catch {
      // Of a node that says nothing it is not known whether it has the session.
      return [Type.retry, attach.gen, RETRY_MS];
    }
  }

  /** Asks one node after the other, and wherever they say that the session went. Null: none of them has it. */
  async #follow(
    nodes: readonly string[],
    question: TakeQuestion,
  ): Promise<{ readonly answer: Exclude<TakeAnswer, NotHere>; readonly from: string } | null> {
    const { node, post } = this.#options;
    const guesses = [...nodes];
    const asked = new Set([node]);
    for (let to = guesses.shift(); to !== undefined && asked.size < ASKED_MAX; to = guesses.shift()) {
      if (asked.has(to)) continue;
      asked.add(to);
      try {
        const answer = (await post.ask(to, question, { timeoutMs: GIVE_MS })) as TakeAnswer;
        if ('elsewhere' in answer) guesses.unshift(answer.elsewhere);
        else if (!('none' in answer)) return { answer, from: to };
      } catch (error) {
        // A node that is not there has no sessions any more.
        if (!PostFailure.is(error, 'unreachable')) throw error;
      }
    }
    return null;
  }

  #adopt(
    { session: record, application }: Extract<TakeAnswer, { session: SessionRecord }>,
    identity: I,
    estate: EstateName,
  ): void {
    const { registry, turn } = this.#options;
    this.#tombstones.delete(record.sid);
    const { node: from, gen } = estate;
    const news: EstateNews = { tell: 'arrived', sid: record.sid, gen };
    turn((now) => {
      const session = registry.adopt(record, identity, now);
      const arrived = this.#options.application.adopt(session, application, this.#formerNode(record.sid, estate));
      void arrived.then(() => this.#options.post.tell(from, news), this.#options.onError);
    });
  }

  #formerNode(sid: string, estate: EstateName): FormerNode {
    const { post, clock } = this.#options;
    return {
      estate,
      tell: ({ node, gen }, frame) => post.tell(node, { tell: 'frame', sid, gen, frame } satisfies EstateNews),
      messages: async (channel, until) => {
        try {
          const question: MessagesQuestion = { ask: 'messages', sid, gen: estate.gen, channel, until };
          return (await post.ask(estate.node, question, { timeoutMs: 2 * MESSAGES_MS })) as readonly LogEntry[] | null;
        } catch {
          // What was missed is said by `recovered: false`.
          return null;
        }
      },
      whenFree: async (channel) => {
        const question: FreeQuestion = { ask: 'free', sid, gen: estate.gen, channel };
        for (const until = clock.now() + ESTATE_MS; clock.now() < until; ) {
          try {
            await post.ask(estate.node, question, { timeoutMs: FREE_MS });
            return;
          } catch (error) {
            // It may have been lost on the way. A node that is not there handles nothing any more.
            if (!PostFailure.is(error, 'silent')) return;
            await new Promise<void>((resolve) => void clock.after(RETRY_MS, resolve));
          }
        }
      },
    };
  }

  // ——— asked by others ———

  /** What is known here of sessions that another node looks for. */
  whereabouts({ sids }: SearchQuestion): SearchAnswer {
    const { clock, node, registry } = this.#options;
    const now = clock.now();
    return sids.flatMap((sid) => {
      const isKnown =
        registry.session(sid) !== undefined || this.#pending.has(sid) || registry.finished(sid, now) !== null;
      const at = isKnown ? node : this.trace(sid);
      return at === null ? [] : [[sid, at] as const];
    });
  }

  /** Gives a session away. */
  async give({ sid, user, gen }: TakeQuestion, to: string): Promise<TakeAnswer> {
    const { clock, registry } = this.#options;
    for (let other = this.#pending.get(sid); other !== undefined; other = this.#pending.get(sid)) {
      if (other.gen > gen || (other.gen === gen && this.#options.node < to)) return { fenced: other.gen };
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
      this.#bury(sid, { gen, to, until: now + registry.limits.ttlMs });
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

  #bury(sid: string, tombstone: Tombstone): void {
    const now = this.#options.clock.now();
    this.#tombstones.delete(sid);
    this.#tombstones.set(sid, tombstone);
    for (const [oldest, { until }] of this.#tombstones) {
      if (now < until && this.#tombstones.size <= TOMBSTONES_MAX) return;
      this.#tombstones.delete(oldest);
    }
  }

  messages({ sid, gen, channel, until }: MessagesQuestion): Promise<readonly LogEntry[] | null> | null {
    return this.#estates.get(estateKey(sid, gen))?.messages(channel, until, MESSAGES_MS) ?? null;
  }

  /** Resolves when the session's publishes to a channel have been handled that came here; null: nothing is known of them any more. */
  free({ sid, gen, channel }: FreeQuestion): Promise<true> | null {
    return this.#estates.get(estateKey(sid, gen))?.whenFree(channel) ?? null;
  }

  hear(news: EstateNews, from: string): void {
    const { application, post, registry } = this.#options;
    const { sid } = news;
    if (news.tell === 'arrived') {
      const name = estateKey(sid, news.gen);
      this.#travelling.delete(name);
      return this.#estates.get(name)?.handleArrived();
    }
    if (news.tell === 'frame') {
      const of = this.#estates.get(estateKey(sid, news.gen))?.of;
      if (of !== undefined) application.callFrame(of, news.frame);
      return;
    }
    const session = registry.session(sid);
    const pending = this.#pending.get(sid);
    if (session === undefined && pending !== undefined) {
      // It has overtaken the session that it is for.
      void pending.done.then(() => this.hear(news, from));
    } else if (session === undefined) {
      // It has gone on to another node, perhaps back to the one that says so: tombstones go where a session comes, so this has an end.
      const to = this.trace(sid);
      if (to !== null) post.tell(to, news);
    } else application.relayed(session, news.relay);
  }
}

const estateKey = (sid: string, gen: number): string => `${sid} ${gen}`;
