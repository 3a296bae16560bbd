import { type Identity, type Limits, RunnelError } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { Call } from './call.ts';
import type { Timing } from './timing.ts';

export interface CallsOptions {
  readonly limits: Limits;
  readonly clock: Timing;
}

/** The unanswered calls of all sessions: how many each may have, and when the last one has ended. */
export class Calls<I extends Identity> {
  readonly #options: CallsOptions;
  #count = 0;
  /** Set by `drain`; called when no call is left. */
  #onIdle: (() => void) | null = null;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /** A call for a request or publish, or null where it was refused. */
  open(of: AppSession<I>, id: number): Call | null {
    const { limits, clock } = this.#options;
    if (of.call(id) !== undefined) {
      of.session.end('protocol_error', `call ${id} is under way already`, clock.now());
    } else if (of.callCount >= limits.calls) {
      of.refuse(id, new RunnelError('limit_reached', `a session may have ${limits.calls} unanswered calls`));
    } else if (this.#onIdle !== null) {
      of.refuse(id, new RunnelError('server_closing', 'the server is closing'));
    } else {
      this.#count += 1;
      return of.openCall(id);
    }
    return null;
  }

  /** Refuses new calls from here on; resolves when those under way have been answered, or `timeoutMs` have passed. */
  drain(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancelTimer = this.#options.clock.after(timeoutMs, resolve);
      this.#onIdle = () => {
        cancelTimer();
        resolve();
      };
      if (this.#count === 0) this.#onIdle();
    });
  }

  /** One of them is answered, or given up. */
  handleSettled(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#onIdle?.();
  }
}
