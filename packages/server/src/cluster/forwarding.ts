/**
 * Polls, POSTs and attaches by poll that came to a node which does not have their session go to the one that has, and its answer goes back (PROTOCOL §12.1).
 * The client notices nothing but a hop.
 */
import type { Identity } from '@runnel/protocol';
import type { Exchange } from '../transports/exchange.ts';
import { type Post, PostFailure } from './post.ts';
import type { ForwardedAnswer, ForwardedRequest } from './remote-call.ts';

/** What a request may take beyond the time that it is held, ms. */
const PATIENCE_MS = 5_000;

export interface ServeQuestion {
  readonly ask: 'serve';
  readonly request: ForwardedRequest;
}

export class Forwarding {
  readonly #post: Post;

  constructor(post: Post) {
    this.#post = post;
  }

  /** Has `owner` answer. `failed` is called instead of an answer where it does not; `gone`: it is not there, or wants to be rid of the session. */
  async forward<I extends Identity>(
    exchange: Exchange<I>,
    { owner, body, holdMs }: { readonly owner: string; readonly body: string; readonly holdMs: number },
    failed: (gone: boolean) => void,
  ): Promise<void> {
    const { method, url, request } = exchange.call;
    const { remoteAddress, encrypted } = request.socket;
    const question: ServeQuestion = {
      ask: 'serve',
      request: { method, url, headers: request.headers, socket: { remoteAddress, encrypted }, body },
    };
    try {
      const answer = await this.#post.ask(owner, question, {
        timeoutMs: holdMs + PATIENCE_MS,
        onAsked: (callOff) => {
          exchange.holder = { handleLeft: callOff };
        },
      });
      exchange.holder = null;
      if (!exchange.isOpen) return;
      if (answer === null) return failed(true);
      const { status, headers, body: text } = answer as ForwardedAnswer;
      exchange.relay(status, headers, text);
    } catch (error) {
      exchange.holder = null;
      if (exchange.isOpen) failed(PostFailure.is(error, 'unreachable'));
    }
  }
}
