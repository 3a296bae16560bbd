import type { Identity, ResolvedChannel } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { PatternHandlers } from './channels/pattern-handlers.ts';
import type { Core } from './core.ts';

interface Following<I extends Identity> {
  readonly resolved: ResolvedChannel;
  readonly handlers: PatternHandlers<I>;
  /** Whether `onSubscribe` was called. */
  told: boolean;
}

/**
 * Tells the app who follows what: `onSubscribe` once, however often a session subscribes anew to what it follows, and one `onLeave` for
 * it. A provisional session (PROTOCOL §8.8) follows nothing yet: its client may never learn of it.
 */
export class SubscriptionHooks<I extends Identity> {
  readonly #core: Core<I>;
  /** By channel name. Only where the pattern has hooks. */
  readonly #following = new Map<AppSession<I>, Map<string, Following<I>>>();

  constructor(core: Core<I>) {
    this.#core = core;
  }

  /** The client was told `subscribed`. */
  subscribed(of: AppSession<I>, resolved: ResolvedChannel, handlers: PatternHandlers<I>): void {
    if (handlers.onSubscribe === null && handlers.onLeave === null) return;
    const channels = this.#following.get(of) ?? new Map<string, Following<I>>();
    this.#following.set(of, channels);
    if (channels.has(resolved.name)) return;
    const following: Following<I> = { resolved, handlers, told: false };
    channels.set(resolved.name, following);
    if (of.session.confirmed) this.#tell(of, following);
  }

  /** The client follows the channel since before the session came to this node: where it was confirmed there, the app was told. */
  handedOn(of: AppSession<I>, resolved: ResolvedChannel, handlers: PatternHandlers<I>): void {
    if (handlers.onSubscribe === null && handlers.onLeave === null) return;
    const channels = this.#following.get(of) ?? new Map<string, Following<I>>();
    this.#following.set(of, channels.set(resolved.name, { resolved, handlers, told: of.session.confirmed }));
  }

  /** The session has another node, and what it follows with it. */
  handOver(of: AppSession<I>): void {
    this.#following.delete(of);
  }

  /** The client has shown that it got its welcome. */
  confirmed(of: AppSession<I>): void {
    for (const following of this.#following.get(of)?.values() ?? []) this.#tell(of, following);
  }

  /** The session no longer follows the channel. */
  left(of: AppSession<I>, channel: string, reason: string): void {
    const channels = this.#following.get(of);
    const following = channels?.get(channel);
    if (channels === undefined || following === undefined) return;
    channels.delete(channel);
    if (channels.size === 0) this.#following.delete(of);
    const { resolved, handlers, told } = following;
    if (!told) return;
    const context = { ...this.#core.contextOf(of, resolved), reason };
    this.#call(of, resolved, () => handlers.onLeave?.(context));
  }

  /** The session has ended. */
  ended(of: AppSession<I>, code: string): void {
    for (const channel of [...(this.#following.get(of)?.keys() ?? [])]) this.left(of, channel, code);
  }

  #tell(of: AppSession<I>, following: Following<I>): void {
    const { resolved, handlers } = following;
    following.told = true;
    const context = this.#core.contextOf(of, resolved);
    this.#call(of, resolved, () => handlers.onSubscribe?.(context));
  }

  /** Not in the turn of what happened: by then subscriptions are what clients take them for, and what the hook throws hurts nobody. */
  #call(of: AppSession<I>, { name: channel }: ResolvedChannel, run: () => unknown): void {
    const report = (error: unknown): void =>
      this.#core.reporter.report(error, { during: 'hook', channel, user: of.userId });
    void Promise.resolve().then(run).catch(report);
  }
}
