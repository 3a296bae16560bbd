/**
 * Sessions that come here from other nodes (PROTOCOL §12.2): an attach asks whoever may have its session, and follows tombstones, whose generations rise, so
 * that comes to an end. One attach at a time asks for a session.
 */
import { type Attach, type Identity, type SessionRecord, type SessionRegistry, Type } from '@runnel/protocol';
import type { Application } from '../application.ts';
import type { Expiring } from '../credentials.ts';
import type { ReadKey } from '../keys.ts';
import type { SharedLine } from '../shared-line.ts';
import type { Timing } from '../timing.ts';
import type { LocationRefusal } from '../transports/edge.ts';
import type { TakeAnswer, TakeQuestion } from './departures.ts';
import type { EstateName } from './former-calls.ts';
import { FormerNode } from './former-node.ts';
import { type Post, PostFailure } from './post.ts';
import { SessionSearch } from './session-search.ts';
import type { Tombstones } from './tombstones.ts';

/** How long an attach waits for a session that is elsewhere, ms. After that its client comes again. */
const TAKE_MS = 1_500;
/** How long a node may take to give a session away, ms. */
const GIVE_MS = 10_000;
/** When a client is to come again whose session could not be had for the moment, ms. */
const RETRY_MS = 300;
/** Nodes asked for one attach, this one included. */
const ASKED_MAX = 16;

/** What of an attach says which session it means. */
export type Claimed = Pick<Attach, 'gen' | 'key' | 'node'>;

/** The attach that asks for a session now. */
interface Pending {
  readonly gen: number;
  readonly done: Promise<LocationRefusal | null>;
}

/** What a node says that has the session, or had it last. */
type Said = Exclude<TakeAnswer, { readonly elsewhere: string } | { readonly none: true }>;

export interface ArrivalsOptions<I extends Identity & Expiring> {
  readonly node: string;
  readonly post: Post;
  readonly clock: Timing;
  readonly registry: SessionRegistry<SharedLine, I>;
  readonly application: Pick<Application<I>, 'adopt'>;
  readonly readKey: (key: string) => ReadKey | null;
  /** Runs a turn of the registry. */
  readonly turn: (run: (now: number) => void) => void;
  readonly onError: (error: unknown) => void;
}

export class Arrivals<I extends Identity & Expiring> {
  readonly #options: ArrivalsOptions<I>;
  readonly #tombstones: Tombstones;
  readonly #search: SessionSearch;
  /** By sid. */
  readonly #pending = new Map<string, Pending>();

  constructor(options: ArrivalsOptions<I>, tombstones: Tombstones) {
    this.#options = options;
    this.#tombstones = tombstones;
    this.#search = new SessionSearch(options.post, options.node);
  }

  get count(): number {
    return this.#pending.size;
  }

  /** The attach that asks for a session now. */
  pending(sid: string): Pending | undefined {
    return this.#pending.get(sid);
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
    this.#pending.set(key.sid, { gen: attach.gen, done });
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

  /** Asks whoever may have the session, the likeliest first. Only where none of them does, and nobody knows of it, it is lost. Never rejects. */
  async #ask(attach: Claimed, identity: I, { sid, node: origin }: ReadKey): Promise<LocationRefusal | null> {
    const question: TakeQuestion = { ask: 'take', sid, user: identity.id, gen: attach.gen };
    const likely = [attach.node, this.#tombstones.trace(sid), origin].filter((guess) => typeof guess === 'string');
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
  ): Promise<{ readonly answer: Said; readonly from: string } | null> {
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
    { session: record, application: above }: Extract<Said, { session: SessionRecord }>,
    identity: I,
    estate: EstateName,
  ): void {
    const { application, clock, onError, post, registry, turn } = this.#options;
    const { sid } = record;
    this.#tombstones.delete(sid);
    const former = new FormerNode({ post, clock, sid, estate });
    turn((now) => {
      const session = registry.adopt(record, identity, now);
      void application
        .adopt(session, above, former)
        .then(() => former.tellArrived())
        .catch(onError);
    });
  }
}
