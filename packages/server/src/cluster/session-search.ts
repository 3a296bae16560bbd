/**
 * Where a session is that nobody knows of who should: all nodes are asked together (PROTOCOL §12.2). One question at a time is under way, for all that are
 * looked for: when a node has died, that is every session it had.
 */
import { type Post, PostFailure } from './post.ts';

/** How long a node may take to say whether it has them, ms. */
const SEARCH_MS = 1_000;
/** Sessions in one question. */
const SOUGHT_MAX = 10_000;

export interface SearchQuestion {
  readonly ask: 'search';
  readonly sids: readonly string[];
}

/** Of those asked for that the node knows of, by sid: the node that has it, or will. */
export type SearchAnswer = readonly (readonly [sid: string, node: string])[];

interface Seeker {
  readonly sid: string;
  readonly found: (nodes: readonly string[]) => void;
  readonly failed: (error: unknown) => void;
}

export class SessionSearch {
  readonly #post: Post;
  readonly #own: string;
  #seekers: Seeker[] = [];
  #isAsking = false;

  constructor(post: Post, own: string) {
    this.#post = post;
    this.#own = own;
  }

  /**
   * The nodes that the others name: who has the session, or gave it away to whom. None: no node knows of it.
   *
   * @throws PostFailure as rejection, where a node has not said
   */
  find(sid: string): Promise<readonly string[]> {
    const nodes = new Promise<readonly string[]>((found, failed) => {
      this.#seekers.push({ sid, found, failed });
    });
    void this.#ask();
    return nodes;
  }

  async #ask(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    while (this.#seekers.length > 0) {
      const seekers = this.#seekers.splice(0, SOUGHT_MAX);
      try {
        const named = await this.#askAll([...new Set(seekers.map(({ sid }) => sid))]);
        for (const { sid, found } of seekers) found([...(named.get(sid) ?? [])]);
      } catch (error) {
        for (const { failed } of seekers) failed(error);
      }
    }
    this.#isAsking = false;
  }

  async #askAll(sids: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const question: SearchQuestion = { ask: 'search', sids };
    const others = [...this.#post.alive].filter((node) => node !== this.#own);
    const named = new Map<string, Set<string>>();
    await Promise.all(
      others.map(async (other) => {
        try {
          const answer = (await this.#post.ask(other, question, { timeoutMs: SEARCH_MS })) as SearchAnswer;
          for (const [sid, node] of answer) named.set(sid, (named.get(sid) ?? new Set()).add(node));
        } catch (error) {
          // A node that is not there has none of them.
          if (!PostFailure.is(error, 'unreachable')) throw error;
        }
      }),
    );
    return named;
  }
}
