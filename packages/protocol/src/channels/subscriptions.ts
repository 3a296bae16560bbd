/**
 * All channels that are wanted. Each is in exactly one place: in `#asking` until a subscribe for it has gone up or was part of an attach, in `#asked`
 * until that is answered, in `#live` by its number from then on; or it has failed for good, and is only remembered.
 */
import { type ClosingCode, codeOf, RunnelError, verdictOf } from '../errors.ts';
import { backoffMs } from '../session/client/schedules.ts';
import { type AttachSub, type Subscribed, type SubscribeOptions, Type } from '../wire/frames.ts';
import type { Send } from './calls.ts';
import { Subscription, type SubscriptionListener } from './subscription.ts';

export class Subscriptions {
  readonly #nextId: () => number;
  readonly #random: () => number;
  readonly #byName = new Map<string, Subscription>();
  readonly #asking = new Set<Subscription>();
  readonly #asked = new Map<number, Subscription>();
  readonly #live = new Map<number, Subscription>();
  /** Channels that the server still has and nobody wants. */
  readonly #leaving = new Set<string>();
  /** Why there is no session and none is sought; null while one is. */
  #closed: { readonly code: ClosingCode; readonly reason: string } | null = null;

  constructor(nextId: () => number, random: () => number) {
    this.#nextId = nextId;
    this.#random = random;
  }

  get(name: string): Subscription | undefined {
    return this.#byName.get(name);
  }

  live(n: number): Subscription | undefined {
    return this.#live.get(n);
  }

  open(name: string, from: SubscribeOptions, listener: SubscriptionListener): void {
    this.close(name);
    const subscription = new Subscription({ id: this.#nextId(), name, from, listener });
    this.#byName.set(name, subscription);
    this.#asking.add(subscription);
    listener.state(subscription.state);
    if (this.#closed !== null) subscription.fail(this.#closed.code, this.#closed.reason, Number.POSITIVE_INFINITY);
  }

  close(name: string): void {
    const subscription = this.#byName.get(name);
    if (subscription === undefined) return;
    this.#byName.delete(name);
    this.#withdraw(subscription);
    if (subscription.known) this.#leaving.add(name);
  }

  /** PROTOCOL §4.0: what an attach asks for, as far as there is room in it. */
  subs(): AttachSub[] {
    const wanted = this.#wanted().sort((a, b) => a.id - b.id);
    return wanted.map(({ id, name, from }) => [id, name, from]);
  }

  /** Those that have not failed for good. */
  #wanted(): Subscription[] {
    return [...this.#byName.values()].filter((subscription) => !subscription.over);
  }

  /** The incarnation is over: all that has not failed for good has to be asked for again. */
  lost(): void {
    for (const subscription of this.#forget()) subscription.subscribing();
  }

  /** Another session is sought, perhaps as somebody else: what has failed for good has a chance again. */
  reopen(): void {
    this.#closed = null;
    for (const subscription of [...this.#byName.values()]) subscription.subscribing();
    this.lost();
  }

  /** A new incarnation has been asked for `subs`. What has changed since goes up after. */
  attached(subs: readonly AttachSub[]): void {
    for (const [id, name, { since }] of subs) {
      const subscription = this.#byName.get(name);
      if (subscription?.id !== id) this.#leaving.add(name);
      // An answer that came after the attach went up has given it a position: it is asked for anew, from there.
      else if (since !== undefined || subscription.from.since === undefined) {
        this.#markAsked(subscription);
        subscription.subscribing();
      }
    }
  }

  /** The session has ended and none is sought. */
  closed(code: ClosingCode, reason: string): void {
    this.#closed = { code, reason };
    for (const subscription of this.#forget()) subscription.fail(code, reason, Number.POSITIVE_INFINITY);
  }

  handleSubscribed(id: number, answer: Subscribed): void {
    const subscription = this.#meant(id);
    if (subscription === undefined) {
      // PROTOCOL §5.17: nobody wants this channel any more, and whoever had its number had that at another node.
      this.#live.delete(answer.n);
      return;
    }
    this.#withdraw(subscription);
    this.#live.set(answer.n, subscription);
    subscription.handleSubscribed(answer);
  }

  /**
   * The subscription that an answer is for. PROTOCOL §5.17: the session may have another node, where the channel has another number; another one that has
   * moved may have taken its old number.
   */
  #meant(id: number): Subscription | undefined {
    return (
      this.#asked.get(id) ??
      [...this.#byName.values()].find((subscription) => subscription.id === id && subscription.n !== null)
    );
  }

  /** A subscribe was refused, or what was subscribed cannot be at the node that the session has come to (PROTOCOL §5.17). */
  handleError(id: number, error: RunnelError, now: number): void {
    const subscription = this.#meant(id);
    if (subscription !== undefined) this.#fail(subscription, error, now);
  }

  /** PROTOCOL §5.26 */
  handleRevoked(n: number, code: string, message: string, now: number): void {
    const subscription = this.#live.get(n);
    if (subscription === undefined) return;
    this.#fail(subscription, new RunnelError(code, message, { retryable: verdictOf(code) !== 'fatal' }), now);
  }

  /**
   * PROTOCOL §5.16: something is missing. From the position anew, which takes the place of what the server has: at once the first time, later with
   * growing pauses, for it may not be had at all.
   */
  handleGap(subscription: Subscription, now: number): void {
    this.#withdraw(subscription);
    subscription.failures += 1;
    this.#ask(subscription, subscription.failures > 1 ? now + backoffMs(subscription.failures, this.#random) : 0);
    subscription.subscribing();
  }

  /** Tells of those that are about to be asked for. */
  announce(now: number): void {
    for (const subscription of this.#asking) if (subscription.askAt <= now) subscription.subscribing();
  }

  /** Sends what is due. False: not all of it was taken. */
  sendDue(send: Send, now: number): boolean {
    for (const name of this.#leaving) {
      if (!send(JSON.stringify([Type.unsubscribe, name]))) return false;
      this.#leaving.delete(name);
    }
    for (const subscription of this.#asking) {
      if (subscription.askAt > now) continue;
      const { name, from } = subscription;
      const id = this.#nextId();
      if (!send(JSON.stringify([Type.subscribe, id, name, from]))) return false;
      subscription.id = id;
      this.#markAsked(subscription);
    }
    return true;
  }

  /** When the next frame is due that is not due `now`. */
  nextAskAt(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { askAt } of this.#asking) if (askAt > now) next = Math.min(next, askAt);
    return next;
  }

  #ask(subscription: Subscription, at: number): void {
    subscription.askAt = at;
    this.#asking.add(subscription);
  }

  /** What the server knew of us is gone. Returns what has to be asked for again. */
  #forget(): readonly Subscription[] {
    this.#asked.clear();
    this.#live.clear();
    this.#leaving.clear();
    const wanted = this.#wanted();
    for (const subscription of wanted) {
      subscription.known = false;
      this.#ask(subscription, 0);
    }
    return wanted;
  }

  #fail(subscription: Subscription, { code, message, retryable }: RunnelError, now: number): void {
    this.#withdraw(subscription);
    subscription.known = false;
    subscription.failures += 1;
    const retryAt = retryable ? now + backoffMs(subscription.failures, this.#random) : null;
    if (retryAt !== null) this.#ask(subscription, retryAt);
    subscription.fail(codeOf(code), message, retryAt);
  }

  #markAsked(subscription: Subscription): void {
    this.#asking.delete(subscription);
    this.#asked.set(subscription.id, subscription);
    subscription.known = true;
  }

  /** Takes it out of wherever it is. */
  #withdraw(subscription: Subscription): void {
    const { id, n } = subscription;
    this.#asking.delete(subscription);
    if (this.#asked.get(id) === subscription) this.#asked.delete(id);
    if (n !== null && this.#live.get(n) === subscription) this.#live.delete(n);
  }
}
