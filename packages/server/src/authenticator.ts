/** Asks the application who somebody is, with a bound on how long that may take. */
import { type DownFrame, type Identity, Type } from '@runnel/protocol';
import type { Clock } from './driver.ts';
import type { AttachRequest } from './handshake.ts';

interface AuthenticateInput {
  readonly request: AttachRequest;
  /** What the client gave as `auth`. Not validated. */
  readonly auth: unknown;
  /** Aborts when the client is gone, or the answer took too long. */
  readonly signal: AbortSignal;
}

/** Says who opened a session, or null to refuse. Runs for every attach: at first, and whenever the client changes its transport or comes back. */
export type Authenticate<I extends Identity> = (input: AuthenticateInput) => Promise<I | null> | I | null;

/** Who it is, or the frame that refuses the attach. */
export type Verdict<I> =
  | { readonly identity: I }
  | { readonly refusal: Extract<DownFrame, readonly [4 | 15, ...unknown[]]> };

/** How long the application may take, ms. */
const AUTHENTICATE_MS = 10_000;
/** When a client should come back after the application has failed, ms. */
const RETRY_MS = 2_000;

export interface AuthenticatorOptions<I extends Identity> {
  readonly authenticate: Authenticate<I>;
  readonly clock: Pick<Clock, 'after'>;
  readonly onError: (error: unknown) => void;
}

export interface Attempt {
  readonly request: AttachRequest;
  readonly auth: unknown;
  readonly gen: number;
  /** Aborted when the client goes. */
  readonly gone: AbortController;
}

export class Authenticator<I extends Identity> {
  readonly #options: AuthenticatorOptions<I>;

  constructor(options: AuthenticatorOptions<I>) {
    this.#options = options;
  }

  /** Never throws nor rejects. Answers at once where the application does. */
  judge({ request, auth, gen, gone }: Attempt): Verdict<I> | Promise<Verdict<I>> {
    try {
      const said = this.#options.authenticate({ request, auth, signal: gone.signal });
      return isPromise(said) ? this.#patiently(said, gen, gone) : this.#verdict(said, gen);
    } catch (error) {
      return this.#failure(error, gen);
    }
  }

  async #patiently(said: PromiseLike<I | null>, gen: number, gone: AbortController): Promise<Verdict<I>> {
    let cancel = (): void => {};
    const late = new Promise<Verdict<I>>((resolve) => {
      cancel = this.#options.clock.after(AUTHENTICATE_MS, () => {
        gone.abort();
        resolve({ refusal: [Type.retry, gen, RETRY_MS] });
      });
    });
    try {
      return await Promise.race([Promise.resolve(said).then((identity) => this.#verdict(identity, gen)), late]);
    } catch (error) {
      return this.#failure(error, gen);
    } finally {
      cancel();
    }
  }

  #verdict(identity: I | null, gen: number): Verdict<I> {
    if (identity === null) return { refusal: [Type.goaway, 'unauthorized', 'the credentials were refused', 0, gen] };
    if (typeof identity.id === 'string' && identity.id !== '') return { identity };
    throw new TypeError(`authenticate must return null or an object whose id is a string, not ${typeof identity?.id}.`);
  }

  #failure(error: unknown, gen: number): Verdict<I> {
    this.#options.onError(error);
    return { refusal: [Type.goaway, 'internal', 'the server could not check the credentials', RETRY_MS, gen] };
  }
}

function isPromise<T>(said: PromiseLike<T> | T): said is PromiseLike<T> {
  return typeof said === 'object' && said !== null && 'then' in said;
}
