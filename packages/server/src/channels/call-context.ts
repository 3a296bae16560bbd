import type { Identity, Position, ResolvedChannel } from '@runnel/protocol';
import type { Awaitable } from '../awaitable.ts';
import type { SessionInfo } from './access.ts';
import type { ChannelHandle } from './channel-handle.ts';

/** Thrown by `fail`: a failure that the contract declares for the request. */
export class DeclaredFailure extends Error {
  readonly failure: string;
  readonly data: unknown;

  constructor(failure: string, data: unknown) {
    super(`failed as declared: ${failure}`);
    this.name = 'DeclaredFailure';
    this.failure = failure;
    this.data = data;
  }
}

export interface CallContextOptions<I extends Identity> {
  readonly data: unknown;
  readonly session: SessionInfo<I>;
  readonly resolved: ResolvedChannel;
  readonly idempotencyKey: string | undefined;
  /** Made only where a handler asks for them. */
  readonly channel: () => ChannelHandle;
  readonly signal: () => AbortSignal;
}

/** What a handler of a publish or request is given. The types that apps see are in `handlers.ts`. */
export class CallContext<I extends Identity> {
  readonly data: unknown;
  readonly user: I;
  readonly params: { readonly [name: string]: string };
  readonly session: SessionInfo<I>;
  readonly idempotencyKey: string | undefined;
  readonly #options: CallContextOptions<I>;
  #channel: ChannelHandle | null = null;

  constructor(options: CallContextOptions<I>) {
    this.data = options.data;
    this.user = options.session.user;
    this.params = options.resolved.params;
    this.session = options.session;
    this.idempotencyKey = options.idempotencyKey;
    this.#options = options;
  }

  get channel(): ChannelHandle {
    this.#channel ??= this.#options.channel();
    return this.#channel;
  }
  get signal(): AbortSignal {
    return this.#options.signal();
  }

  readonly fail: (failure: string, data: unknown) => never = failAsDeclared;
}

function failAsDeclared(failure: string, data: unknown): never {
  throw new DeclaredFailure(failure, data);
}

/** The broadcasts of one call: the call's answer waits for their acceptance (DESIGN P3). */
export class CallBroadcasts {
  /** Those that the broker has not answered. A streamed answer may make any number of them, so those that were accepted are let go. Made with the first. */
  #pending: Set<Promise<unknown>> | null = null;
  #count = 0;
  /** The first that was not accepted. */
  #failed: Promise<unknown> | null = null;

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** Keeps track of one, so that nobody has to await it. */
  add(sent: Promise<Position | null>): Promise<Position | null> {
    this.#count += 1;
    this.#pending ??= new Set();
    const pending = this.#pending.add(sent);
    sent.then(
      () => pending.delete(sent),
      () => {
        pending.delete(sent);
        this.#failed ??= sent;
      },
    );
    return sent;
  }

  /** Done when all were accepted; rejects as the first that was not. */
  accepted(): Awaitable<void> {
    if (this.#count > 0) return this.#settled();
  }

  async #settled(): Promise<void> {
    await this.#failed;
    await Promise.all(this.#pending ?? []);
  }
}
