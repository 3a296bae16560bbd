/** One node among others: what comes here and belongs elsewhere, and the other way round (PROTOCOL §12). */
import { randomBytes } from 'node:crypto';
import type { Identity } from '@runnel/protocol';
import type { Application } from '../application.ts';
import type { Broker } from '../brokers/broker.ts';
import type { BrokerNodes } from '../brokers/nodes.ts';
import type { Expiring } from '../credentials.ts';
import type { LocationRefusal } from '../transports/edge.ts';
import type { Exchange } from '../transports/exchange.ts';
import type { Claimed } from './arrivals.ts';
import type { CensusQuestion } from './census.ts';
import type { EstateNews } from './departures.ts';
import { Forwarding, type ServeQuestion } from './forwarding.ts';
import { type HandOverQuestion, HandOvers, type HandOversOptions } from './hand-overs.ts';
import { Post, type Question } from './post.ts';
import type { PresenceExchange } from './presence-exchange.ts';
import { type ForwardedAnswer, RemoteCall } from './remote-call.ts';

export interface ClusterOptions<I extends Identity & Expiring>
  extends Omit<HandOversOptions<I>, 'post' | 'application'> {
  readonly application: Application<I>;
  readonly nodes: BrokerNodes;
  /** Of the broker. */
  readonly watch?: Broker['watch'];
  /** Answers a request that another node has forwarded. */
  readonly serve: (call: RemoteCall) => void;
  /** Takes the secret that all nodes share; absent: the app has given them one. */
  readonly agreed: ((secret: string) => void) | undefined;
}

/** After how long joining is tried again, ms. */
const JOIN_AGAIN_MS = { min: 100, max: 2_000 } as const;

/** Who answers a request. */
export interface Forward {
  readonly owner: string;
  readonly body: string;
  /** How long the request may be held there, ms. */
  readonly holdMs: number;
}

export class Cluster<I extends Identity & Expiring> {
  readonly #options: ClusterOptions<I>;
  readonly #post: Post;
  readonly #handOvers: HandOvers<I>;
  readonly #forwarding: Forwarding;
  readonly #presence: PresenceExchange<I>;
  /** Whether sessions are to leave this node. */
  #draining = false;
  #isReady = false;
  readonly #unwatch: () => void;
  #closed = false;
  /** Resolves when it is. */
  readonly ready: Promise<void>;

  constructor(options: ClusterOptions<I>) {
    const { clock, nodes, node, onError } = options;
    this.#options = options;
    this.#post = new Post({
      ...{ clock, nodes, node, onError },
      onNodes: (alive) => {
        this.#presence.keep(alive);
        // Until this node is one of them it has no sessions.
        if (this.#isReady) options.turn(() => options.application.keep(alive));
      },
      answer: (question) => this.#answer(question),
      hear: (news, from) => this.#handOvers.hear(news as EstateNews, from),
    });
    this.#handOvers = new HandOvers<I>({ ...options, post: this.#post });
    this.#forwarding = new Forwarding(this.#post);
    options.application.census.others = { node, nodes, post: this.#post };
    this.#presence = options.application.sharePresence({ nodes, own: () => this.#post.own, onError });
    this.#unwatch =
      options.watch?.({
        lost: () => this.#post.setCutOff(true),
        restored: () => {
          this.#post.setCutOff(false);
          this.#presence.restore();
        },
      }) ?? (() => {});
    this.ready = this.#join();
  }

  /** Joins the others. Rejects where the broker does not let it; it is tried again until `close`. */
  async #join(): Promise<void> {
    const { agreed, clock, nodes, onError } = this.#options;
    for (let wait: number = JOIN_AGAIN_MS.min; !this.#closed; wait = Math.min(wait * 2, JOIN_AGAIN_MS.max)) {
      try {
        await this.#post.open();
        agreed?.(await nodes.agree('secret', randomBytes(32).toString('base64url')));
        this.#isReady = true;
        return;
      } catch (error) {
        onError(error);
        await new Promise<void>((resolve) => void clock.after(wait, resolve));
      }
    }
  }

  /** Whether this node is one of them. Until then nobody can be told where a session is. */
  get isReady(): boolean {
    return this.#isReady;
  }

  hasOthers(): Promise<boolean> {
    return this.#post.hasOthers();
  }

  /** Whether a session that went from here to another node may still need this one. */
  get isNeeded(): boolean {
    return this.#handOvers.isNeeded;
  }

  /** The node that has the session of a key, where that is another one. `hint`: what the client was told last. */
  ownerOf(key: string, hint: string | undefined, exchange: Exchange<I>): string | null {
    return this.#handOvers.ownerOf(key, { hint, forwarded: exchange.call instanceof RemoteCall });
  }

  forward(exchange: Exchange<I>, forward: Forward, failed: (gone: boolean) => void): void {
    void this.#forwarding.forward(exchange, forward, failed);
  }

  /** Before an attach is admitted: what its client is told instead, or null. */
  claim(attach: Claimed, identity: I): Promise<LocationRefusal | null> {
    return this.#handOvers.take(attach, identity);
  }

  /** From here on sessions are given away rather than served. */
  drain(): void {
    this.#draining = true;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    return this.#post.close();
  }

  #answer({ body, from, signal }: Question): unknown {
    const question = body as HandOverQuestion | ServeQuestion | CensusQuestion;
    switch (question.ask) {
      case 'take':
      case 'search':
      case 'messages':
      case 'free':
        return this.#handOvers.answer(question, from);
      case 'serve':
        return this.#serve(question, signal);
      default:
        return this.#options.application.census.answer(question);
    }
  }

  /** Null: the session is to be taken from here instead. */
  #serve({ request }: ServeQuestion, signal: AbortSignal): Promise<ForwardedAnswer> | null {
    if (this.#draining) return null;
    const call = new RemoteCall(request, signal);
    this.#options.serve(call);
    return call.answered;
  }
}
