import { type Identity, type ResolvedChannel, RunnelError } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import { type Awaitable, isPending } from './awaitable.ts';
import type { Action } from './channels/access.ts';
import type { PatternHandlers } from './channels/pattern-handlers.ts';
import type { Reporter } from './reporter.ts';

export interface Deed {
  readonly action: Action;
  readonly event?: string;
  readonly method?: string;
}

/** Asks the app who may do what. Only `true` is a yes, and an `authorize` that throws says no. */
export class Authorizer<I extends Identity> {
  readonly #reporter: Reporter;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** @throws RunnelError `forbidden`, or what `authorize` threw as far as clients may know it; thrown or rejected */
  check(handlers: PatternHandlers<I>, of: AppSession<I>, resolved: ResolvedChannel, deed: Deed): Awaitable<void> {
    if (handlers.authorize === null) return;
    const { name: channel, params } = resolved;
    const { info: session } = of;
    const fail = (error: unknown): never => {
      throw this.#refusal(error, of, channel, deed);
    };
    let allowed: unknown;
    try {
      allowed = handlers.authorize({ ...deed, user: session.user, params, channel, session });
    } catch (error) {
      return fail(error);
    }
    if (!isPending(allowed)) return conclude(allowed, channel, deed);
    return allowed.then((settled) => conclude(settled, channel, deed), fail);
  }

  #refusal(error: unknown, of: AppSession<I>, channel: string, { event, method }: Deed): RunnelError {
    return this.#reporter.answer(error, {
      during: 'authorize',
      channel,
      user: of.userId,
      ...(event === undefined ? {} : { event }),
      ...(method === undefined ? {} : { method }),
    });
  }
}

function conclude(allowed: unknown, channel: string, deed: Deed): void {
  if (allowed !== true) throw new RunnelError('forbidden', `you may not ${sentence(deed)} ${channel}`);
}

function sentence({ action, event, method }: Deed): string {
  if (action === 'publish') return `publish ${event} to`;
  if (action === 'request') return `ask ${method} of`;
  return action === 'presence' ? 'enter' : 'subscribe to';
}
