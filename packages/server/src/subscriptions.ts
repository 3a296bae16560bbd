import {
  type AttachSub,
  type Identity,
  type ResolvedChannel,
  RunnelError,
  type SubscribeOptions,
} from '@runnel/protocol';
import { AppSession } from './app-session.ts';
import type { SnapshotSource } from './catch-up.ts';
import type { PatternHandlers } from './channels/pattern-handlers.ts';
import type { Core } from './core.ts';
import type { Hub } from './hub.ts';
import type { Snapshots } from './snapshots.ts';
import { type HandedOver, type Predecessor, Subscription, type SubscriptionOwner } from './subscription.ts';
import { SubscriptionHooks } from './subscription-hooks.ts';

export interface SubscribeRequest {
  readonly id: number;
  readonly channel: string;
  readonly from: SubscribeOptions;
  readonly onSettled?: () => void;
  /** Of a session that has just come from another node. */
  readonly predecessor?: Predecessor;
  /** Whether the client was told `subscribed` there. */
  readonly told?: boolean;
}

export interface SubscriptionsOptions<I extends Identity> {
  readonly snapshots: Snapshots<I>;
  /** A session is no longer subscribed to a channel, for whatever reason but its own end. */
  readonly onLeft: (of: AppSession<I>, channel: string) => void;
}

/** Lets sessions subscribe, and sees to it that they still may. */
export class Subscriptions<I extends Identity> implements SubscriptionOwner {
  readonly #core: Core<I>;
  readonly #options: SubscriptionsOptions<I>;
  readonly #hooks: SubscriptionHooks<I>;

  constructor(core: Core<I>, options: SubscriptionsOptions<I>) {
    this.#core = core;
    this.#options = options;
    this.#hooks = new SubscriptionHooks(core);
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
    const { id, channel, from, onSettled = () => {}, predecessor, told = false } = request;
    try {
      const resolved = this.#core.resolve(channel);
      const known = of.subscriptions.get(channel);
      const { channels } = this.#core.limits;
      if (known === undefined && of.subscriptions.size >= channels) {
        throw new RunnelError('limit_reached', `a session may have ${channels} channels`);
      }
      // PROTOCOL §5.16: a client that misses something subscribes again from its position; the new subscription takes the old one's place.
      const subscription = new Subscription(this, {
        receiver: of.session,
        id,
        resolved,
        from,
        snapshots: resolved.channel.snapshot === null ? null : this.#snapshots(of, resolved),
        onSettled,
        predecessor,
      });
      of.subscriptions.set(subscription);
      known?.end();
      void this.#begin(of, subscription, told);
    } catch (error) {
      of.refuse(id, this.#core.reporter.answer(error, { during: 'subscribe', user: of.userId }));
      onSettled();
    }
  }

  unsubscribe(of: AppSession<I>, channel: string): void {
    const subscription = of.subscriptions.get(channel);
    if (subscription === undefined) return;
    subscription.end();
    this.#left(of, channel, 'unsubscribed');
  }

  /** The client has shown that it got its welcome. */
  confirmed(of: AppSession<I>): void {
    this.#hooks.confirmed(of);
  }

  /** The session has ended with `code`. */
  endAll(of: AppSession<I>, code: string): void {
    for (const subscription of of.subscriptions.values()) subscription.end();
    of.subscriptions.clear();
    this.#hooks.ended(of, code);
  }

  /** The session has another node: what it follows, and from where. */
  handOver(of: AppSession<I>): readonly HandedOver[] {
    this.#hooks.handOver(of);
    const handedOver = of.subscriptions.values().map((subscription) => subscription.handOver());
    of.subscriptions.clear();
    return handedOver;
  }

  /** Asks again whether the session may follow what it follows, and revokes what it may not. */
  async reauthorize(of: AppSession<I>): Promise<void> {
    const joined = of.subscriptions.values().filter((subscription) => subscription.joined);
    await Promise.all(
      joined.map(async (subscription) => {
        const refused = await this.#permitted(of, subscription);
        if (RunnelError.is(refused)) subscription.revoke(refused.code, refused.message);
      }),
    );
  }

  async #begin(of: AppSession<I>, subscription: Subscription, told: boolean): Promise<void> {
    const handlers = await this.#permitted(of, subscription);
    if (RunnelError.is(handlers)) subscription.refuse(handlers);
    else {
      if (told) this.#hooks.handedOn(of, subscription.resolved, handlers);
      subscription.join();
    }
  }

  // ——— for subscriptions ———

  get hub(): Hub {
    return this.#core.hub;
  }

  subscribed({ receiver, resolved }: Subscription): void {
    const of = AppSession.of<I>(receiver);
    const handlers = this.#core.handlersOf(resolved);
    if (of !== undefined && !(handlers instanceof Promise)) this.#hooks.subscribed(of, resolved, handlers);
  }

  lost(subscription: Subscription, code: string): void {
    const of = AppSession.of<I>(subscription.receiver);
    const { name } = subscription.resolved;
    if (of?.subscriptions.get(name) === subscription) this.#left(of, name, code);
  }

  // ——— inside ———

  #left(of: AppSession<I>, channel: string, reason: string): void {
    of.subscriptions.delete(channel);
    this.#options.onLeft(of, channel);
    this.#hooks.left(of, channel, reason);
  }

  /** The handlers of the channel; where the session may not subscribe, what the client is told. */
  async #permitted(of: AppSession<I>, { resolved }: Subscription): Promise<PatternHandlers<I> | RunnelError> {
    try {
      const handlers = await this.#core.handlersOf(resolved);
      await this.#core.authorizer.check(handlers, of, resolved, { action: 'subscribe' });
      return handlers;
    } catch (error) {
      return this.#answer(of, resolved, error);
    }
  }

  #snapshots(of: AppSession<I>, resolved: ResolvedChannel): SnapshotSource {
    const read = async (unwanted: AbortSignal): Promise<string> => {
      try {
        return await this.#options.snapshots.read(of, resolved, unwanted);
      } catch (error) {
        throw this.#answer(of, resolved, error);
      }
    };
    return { read, slots: of.slots };
  }

  #answer(of: AppSession<I>, { name: channel }: ResolvedChannel, error: unknown): RunnelError {
    return this.#core.reporter.answer(error, { during: 'subscribe', channel, user: of.userId });
  }
}
