/** The node that had a session before, as the application sees it that has taken it over (PROTOCOL §12.2). */
import type { AppUpFrame, Position } from '@runnel/protocol';
import type { LogEntry } from '../brokers/broker.ts';
import type { Timing } from '../timing.ts';
import { ESTATE_MS, type EstateNews, type FreeQuestion, MESSAGES_MS, type MessagesQuestion } from './departures.ts';
import type { EstateName } from './former-calls.ts';
import { type Post, PostFailure } from './post.ts';

/** How long it is waited for to say that it has handled what came before, ms, until it is asked again; and the pause before that. */
const FREE_MS = 5_000;
const FREE_PAUSE_MS = 300;

export interface FormerNodeOptions {
  readonly post: Post;
  readonly clock: Timing;
  readonly sid: string;
  /** What the session left there. */
  readonly estate: EstateName;
}

export class FormerNode {
  readonly #options: FormerNodeOptions;

  constructor(options: FormerNodeOptions) {
    this.#options = options;
  }

  get estate(): EstateName {
    return this.#options.estate;
  }

  /** Hands a frame to the estate where the call runs that it is for, there or at a node before. */
  readonly tell = ({ node, gen }: EstateName, frame: AppUpFrame): void => {
    const { post, sid } = this.#options;
    post.tell(node, { tell: 'frame', sid, gen, frame } satisfies EstateNews);
  };

  /** The session has all that it needs of the node. */
  tellArrived(): void {
    const { post, sid, estate } = this.#options;
    post.tell(estate.node, { tell: 'arrived', sid, gen: estate.gen } satisfies EstateNews);
  }

  /** What it has heard of a channel since; see `Predecessor`. */
  async messages(channel: string, until: Position): Promise<readonly LogEntry[] | null> {
    const { post, sid, estate } = this.#options;
    try {
      const question: MessagesQuestion = { ask: 'messages', sid, gen: estate.gen, channel, until };
      return (await post.ask(estate.node, question, { timeoutMs: 2 * MESSAGES_MS })) as readonly LogEntry[] | null;
    } catch {
      // What was missed is said by `recovered: false`.
      return null;
    }
  }

  /** Resolves when the publishes to the channel that came there have been handled, or the node is not there any more. */
  async whenFree(channel: string): Promise<void> {
    const { post, clock, sid, estate } = this.#options;
    const question: FreeQuestion = { ask: 'free', sid, gen: estate.gen, channel };
    for (const until = clock.now() + ESTATE_MS; clock.now() < until; ) {
      try {
        await post.ask(estate.node, question, { timeoutMs: FREE_MS });
        return;
      } catch (error) {
        // It may have been lost on the way. A node that is not there handles nothing any more.
        if (!PostFailure.is(error, 'silent')) return;
        await new Promise<void>((resolve) => void clock.after(FREE_PAUSE_MS, resolve));
      }
    }
  }
}
