import { isCode, RunnelError } from '@runnel/protocol';

/** What the server was doing when something failed that is neither a client's fault nor the network's. */
export interface ErrorContext {
  readonly during:
    | 'authenticate'
    | 'authorize'
    | 'broadcast'
    | 'hook'
    | 'presence'
    | 'publish'
    | 'request'
    | 'subscribe'
    | 'transport';
  readonly channel?: string;
  readonly event?: string;
  readonly method?: string;
  /** Id of the user it was done for. */
  readonly user?: string;
}

export type OnError = (error: unknown, context: ErrorContext) => void;

/** Longest message of an error that a client is told, in characters. */
const MESSAGE_CHARS_MAX = 512;

/** Tells the app of errors, each once, and clients only what is meant for them. */
export class Reporter {
  readonly #onError: OnError;
  /** Errors the app was told of. */
  readonly #reported = new WeakSet<object>();
  /** Errors of the server's own doing that a handler may let through: their codes would blame the client. */
  readonly #own = new WeakSet<object>();

  constructor(onError: OnError) {
    this.#onError = onError;
  }

  report(error: unknown, context: ErrorContext): void {
    if (typeof error === 'object' && error !== null) {
      if (this.#reported.has(error)) return;
      this.#reported.add(error);
    }
    try {
      this.#onError(error, context);
    } catch (failure) {
      console.error('runnel: onError itself failed', failure);
    }
  }

  /** Marks an error as one that no client is told of. */
  own<E extends RunnelError>(error: E): E {
    this.#own.add(error);
    return error;
  }

  /** What a client is told of `error`: the text of an exception never leaves the server, that of a `RunnelError` with a code of ours does. */
  answer(error: unknown, context: ErrorContext): RunnelError {
    if (RunnelError.is(error) && isCode(error.code) && !this.#own.has(error)) {
      const { code, message, data, retryable } = error;
      return new RunnelError(code, message.slice(0, MESSAGE_CHARS_MAX), { data, retryable });
    }
    this.report(error, context);
    return new RunnelError('handler_failed', 'the handler failed');
  }
}
