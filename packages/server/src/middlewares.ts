/**
 * The `use` option: middlewares of the Connect kind that run before `authenticate`, once per attach. They get a stand-in for the response, so that nothing
 * they do to it reaches the client; it is ended when `authenticate` has answered, which is when session stores save and touch what they have.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AttachRequest } from './handshake.ts';
import { standInRequest, standInResponse } from './stand-in.ts';

/**
 * A middleware of Connect or Express. An Express app or router is one too, and brings what Express puts on requests and responses (`request.get`,
 * `response.status` …); by itself a middleware gets those of node.
 */
export type AttachMiddleware = {
  // A method, whose parameters may be narrower: middlewares declare Express's own types.
  run(request: IncomingMessage & AttachRequest, response: ServerResponse, next: (error?: unknown) => void): unknown;
}['run'];

export type Outcome =
  | 'passed'
  /** Nobody waits for it any more. */
  | 'abandoned'
  /** One of them has turned the client away. */
  | { readonly refused: 'unauthorized' | 'overloaded'; readonly retryMs: number }
  /** One of them has failed. */
  | { readonly error: unknown };

/** A request on its way through them. */
export interface Passage {
  readonly request: AttachRequest;
  /** Never rejects; stays open where one of them forgets to call `next`. */
  readonly outcome: Promise<Outcome>;
  /** Ends the response that they were given. */
  end(): void;
}

/** When a client should come back that was turned away without a time, ms. */
const RETRY_MS = 5_000;

export class Middlewares {
  readonly #chain: readonly AttachMiddleware[];
  readonly #onError: (error: unknown) => void;

  /**
   * @param onError is told what goes wrong after the outcome: a session that could not be saved
   * @throws TypeError for what is no function
   */
  constructor(chain: readonly AttachMiddleware[], onError: (error: unknown) => void) {
    for (const [at, middleware] of chain.entries()) {
      if (typeof middleware !== 'function') {
        throw new TypeError(`use[${at}] is no middleware but ${typeof middleware}; give functions (req, res, next).`);
      }
    }
    this.#chain = [...chain];
    this.#onError = onError;
  }

  get isEmpty(): boolean {
    return this.#chain.length === 0;
  }

  /** `signal` aborts when nobody waits for the outcome any more. */
  run(given: AttachRequest, signal: AbortSignal): Passage {
    const request = standInRequest(given);
    const response = standInResponse(request);
    let abandon = (): void => {};
    const outcome = new Promise<Outcome>((resolve) => {
      abandon = () => {
        resolve('abandoned');
        response.destroy();
      };
      // Whichever comes first: later ones change nothing.
      response.on('finish', () => resolve(answered(response)));
      response.on('close', () => resolve({ error: new Error('a middleware of use has destroyed the response') }));
      this.#step(0, request, response, resolve);
    });
    signal.addEventListener('abort', abandon, { once: true });
    const end = (): void => {
      signal.removeEventListener('abort', abandon);
      try {
        if (!response.destroyed) response.end();
      } catch (error) {
        this.#onError(error);
      }
    };
    return { request, outcome, end };
  }

  #step(
    at: number,
    request: IncomingMessage & AttachRequest,
    response: ServerResponse,
    resolve: (outcome: Outcome) => void,
  ): void {
    const middleware = this.#chain[at];
    if (middleware === undefined) return resolve('passed');
    let called = false;
    const fail = (error: unknown): void => {
      if (called) return this.#onError(error);
      called = true;
      resolve(failed(error));
    };
    const next = (error?: unknown): void => {
      if (error) return fail(error);
      if (called) return;
      called = true;
      // What it has answered counts, whatever it says afterwards.
      if (!response.writableEnded) this.#step(at + 1, request, response, resolve);
    };
    try {
      const returned = middleware(request, response, next);
      if (returned instanceof Promise) void returned.catch(fail);
    } catch (error) {
      fail(error);
    }
  }
}

/** What an answer of a middleware's own means. Redirects are to pages where people log in. */
function answered(response: ServerResponse): Outcome {
  const { statusCode: status } = response;
  if (status >= 300 && status < 400) return { refused: 'unauthorized', retryMs: 0 };
  const seconds = Number(response.getHeader('Retry-After'));
  return (
    refusal(status, seconds > 0 ? seconds * 1_000 : RETRY_MS) ?? {
      error: new Error(`a middleware of use has answered with status ${status}, and not called next`),
    }
  );
}

/** Errors may carry a status, as those of `http-errors` do. */
function failed(error: unknown): Outcome {
  const { status, statusCode } = (error ?? {}) as { readonly status?: unknown; readonly statusCode?: unknown };
  return refusal(status ?? statusCode, RETRY_MS) ?? { error };
}

function refusal(status: unknown, retryMs: number): Outcome | null {
  if (status === 401 || status === 403) return { refused: 'unauthorized', retryMs: 0 };
  if (status === 429 || status === 503) return { refused: 'overloaded', retryMs };
  return null;
}
