/** Asks the application who somebody is, with a bound on how long that may take. */
import { type DownFrame, type Identity, Type } from '@runnel/protocol';
import { isPending } from './awaitable.ts';
import type { Clock } from './driver.ts';
import type { AttachRequest } from './handshake.ts';
import type { LazyAbort } from './lazy-abort.ts';
import type { Middlewares, Outcome } from './middlewares.ts';

interface AuthenticateInput {
  readonly request: AttachRequest;
  /** What the client gave as `auth`. Not validated. */
  readonly auth: unknown;
  /** Aborts when the client is gone, or the answer took too long. */
  readonly signal: AbortSignal;
}

/** Says who opened a session, or null to refuse. Runs for every attach: at first, and whenever the client changes its transport or comes back. */
export type Authenticate<I extends Identity> = (input: AuthenticateInput) => Promise<I | null> | I | null;

/** The frame that refuses an attach. */
export type AttachRefusal = Extract<DownFrame, readonly [4 | 15, ...unknown[]]>;

/** Who it is, or the frame that refuses the attach. */
export type Verdict<I> = { readonly identity: I } | { readonly refusal: AttachRefusal };

/** How long the application may take, its middlewares included, ms. */
const AUTHENTICATE_MS = 10_000;
/** When a client should come back after the application has failed, ms. */
const RETRY_MS = 2_000;

export interface AuthenticatorOptions<I extends Identity> {
  readonly authenticate: Authenticate<I>;
  /** What runs before it. */
  readonly middlewares: Middlewares;
  readonly clock: Pick<Clock, 'after'>;
  readonly onError: (error: unknown) => void;
}

export interface Attempt {
  readonly request: AttachRequest;
  readonly auth: unknown;
  readonly gen: number;
  /** Aborted when the client goes. */
  readonly gone: LazyAbort;
}

export class Authenticator<I extends Identity> {
  readonly #options: AuthenticatorOptions<I>;

  constructor(options: AuthenticatorOptions<I>) {
    this.#options = options;
  }

  /** Never throws nor rejects. Answers at once where the application does. */
  judge(attempt: Attempt): Verdict<I> | Promise<Verdict<I>> {
    const { middlewares, authenticate } = this.#options;
    if (!middlewares.isEmpty) return this.#patiently(this.#behindMiddlewares(attempt), attempt);
    try {
      const said = authenticate(inputOf(attempt, attempt.request));
      if (!isPending(said)) return this.#verdict(said, attempt);
      return this.#patiently(
        Promise.resolve(said).then((identity) => this.#verdict(identity, attempt)),
        attempt,
      );
    } catch (error) {
      return this.#failure(error, attempt);
    }
  }

  async #behindMiddlewares(attempt: Attempt): Promise<Verdict<I>> {
    const { middlewares, authenticate } = this.#options;
    const { signal } = attempt.gone;
    const passage = middlewares.run(attempt.request, signal);
    try {
      const outcome = await passage.outcome;
      if (outcome !== 'passed') return this.#turnedAway(outcome, attempt);
      return this.#verdict(await authenticate(inputOf(attempt, passage.request)), attempt);
    } finally {
      passage.end();
    }
  }

  async #patiently(asked: Promise<Verdict<I>>, attempt: Attempt): Promise<Verdict<I>> {
    let cancel = (): void => {};
    const late = new Promise<Verdict<I>>((resolve) => {
      cancel = this.#options.clock.after(AUTHENTICATE_MS, () => {
        resolve({ refusal: [Type.retry, attempt.gen, RETRY_MS] });
        attempt.gone.abort();
      });
    });
    try {
      return await Promise.race([asked, late]);
    } catch (error) {
      return this.#failure(error, attempt);
    } finally {
      cancel();
    }
  }

  #turnedAway(outcome: Exclude<Outcome, 'passed'>, attempt: Attempt): Verdict<I> {
    if (outcome === 'abandoned') return { refusal: [Type.retry, attempt.gen, RETRY_MS] };
    if ('error' in outcome) return this.#failure(outcome.error, attempt);
    if (outcome.refused === 'unauthorized') return unauthorized(attempt);
    return { refusal: [Type.goaway, 'overloaded', 'too many requests', outcome.retryMs, attempt.gen] };
  }

  #verdict(identity: I | null, attempt: Attempt): Verdict<I> {
    if (identity === null) return unauthorized(attempt);
    if (typeof identity?.id === 'string' && identity.id !== '') return { identity };
    throw new TypeError(`authenticate must return null or an object whose id is a string, not ${typeof identity?.id}.`);
  }

  #failure(error: unknown, { gen }: Attempt): Verdict<I> {
    this.#options.onError(error);
    return { refusal: [Type.goaway, 'internal', 'the server could not check the credentials', RETRY_MS, gen] };
  }
}

/** The signal is made when it is asked for: most apps never do. */
function inputOf({ auth, gone }: Attempt, request: AttachRequest): AuthenticateInput {
  return {
    request,
    auth,
    get signal() {
      return gone.signal;
    },
  };
}

function unauthorized<I>({ gen }: Attempt): Verdict<I> {
  return { refusal: [Type.goaway, 'unauthorized', 'the credentials were refused', 0, gen] };
}
