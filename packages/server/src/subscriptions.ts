import { type AttachSub, type Identity, RunnelError, type SubscribeOptions } from '@runnel/protocol';
import type { AppSession } from './app-session.ts';
import type { Core } from './core.ts';
import { Subscription } from './subscription.ts';

export interface SubscribeRequest {
  readonly id: number;
  readonly channel: string;
  readonly from: SubscribeOptions;
  readonly onSettled?: () => void;
}

/** Lets sessions subscribe, and sees to it that they still may. */
export class Subscriptions<I extends Identity> {
  readonly #core: Core<I>;
  /** A session is no longer subscribed to a channel, for whatever reason but its own end. */
  readonly #onLeft: (of: AppSession<I>, channel: string) => void;

  constructor(core: Core<I>, onLeft: (of: AppSession<I>, channel: string) => void) {
    this.#core = core;
    this.#onLeft = onLeft;
  }

  /** The subscriptions of an attach; `settled` when each was answered, and sent what was there to be sent at once. */
  subscribeAll(of: AppSession<I>, subs: readonly AttachSub[], settled: () => void): void {
    let open = subs.length;
    if (open === 0) return settled();
    const onSettled = (): void => {
      open -= 1;
      if (open === 0) settled();
    };
    for (const [id, channel, from] of subs) this.subscribe(of, { id, channel, from, onSettled });
  }

  subscribe(of: AppSession<I>, request: SubscribeRequest): void {
    const { id, channel, from, onSettled = () => {} } = request;
    try {
      const resolved = this.#core.resolve(channel);
      const known = of.subscriptions.get(channel);
      const { channels } = this.#core.limits;
      if (known === undefined && of.subscriptions.size >= channels) {
        throw new RunnelError('limit_reached', `a session may have ${channels} channels`);
      }
      const onLost = (lost: Subscription): void => {
        if (of.subscriptions.get(channel) !== lost) return;
        of.subscriptions.delete(channel);
        this.#onLeft(of, channel);
      };
      // PROTOCOL §5.16: a client that misses something subscribes again from its position; the new subscription takes the old one's place.
      const subscription = new Subscription(this.#core.hub, {
        receiver: of.session,
        id,
        resolved,
        from,
        onSettled,
        onLost,
      });
      of.subscriptions.set(channel, subscription);
      known?.end();
      void this.#begin(of, subscription);
    } catch (error) {
      of.refuse(id, this.#core.reporter.answer(error, { during: 'subscribe', user: of.userId }));
      onSettled();
    }
  }

  unsubscribe(of: AppSession<I>, channel: string): void {
    const subscription = of.subscriptions.get(channel);
    if (subscription === undefined) return;
    of.subscriptions.delete(channel);
    subscription.end();
    this.#onLeft(of, channel);
  }

  /** Asks again whether the session may follow what it follows, and revokes what it may not. */
  async reauthorize(of: AppSession<I>): Promise<void> {
    const active = [...of.subscriptions.values()].filter((subscription) => subscription.active);
    await Promise.all(
      active.map(async (subscription) => {
        const refusal = await this.#refusal(of, subscription);
        if (refusal !== null) subscription.revoke(refusal.code, refusal.message);
      }),
    );
  }

  async #begin(of: AppSession<I>, subscription: Subscription): Promise<void> {
    const refusal = await this.#refusal(of, subscription);
    if (refusal === null) subscription.join();
    else subscription.refuse(refusal);
  }

  async #refusal(of: AppSession<I>, { resolved }: Subscription): Promise<RunnelError | null> {
    try {
      const handlers = await this.#core.handlersOf(resolved);
      await this.#core.authorizer.check(handlers, of, resolved, { action: 'subscribe' });
      return null;
    } catch (error) {
      return this.#core.reporter.answer(error, { during: 'subscribe', channel: resolved.name, user: of.userId });
    }
  }
}
