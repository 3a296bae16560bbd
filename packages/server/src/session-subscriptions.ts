import type { Subscription } from './subscription.ts';

/** The subscriptions of one session by channel name. Most sessions have one, which needs no map. */
export class SessionSubscriptions {
  /** All of them; the only one by itself until there is a second. */
  #held: Subscription | Map<string, Subscription> | null = null;

  get size(): number {
    if (this.#held instanceof Map) return this.#held.size;
    return this.#held === null ? 0 : 1;
  }

  get(channel: string): Subscription | undefined {
    const held = this.#held;
    if (held instanceof Map) return held.get(channel);
    return held?.resolved.name === channel ? held : undefined;
  }

  /** In place of the one to the same channel, if there is one. */
  set(subscription: Subscription): void {
    const { name } = subscription.resolved;
    const held = this.#held;
    if (held instanceof Map) held.set(name, subscription);
    else if (held === null || held.resolved.name === name) this.#held = subscription;
    else this.#held = new Map([held, subscription].map((one) => [one.resolved.name, one]));
  }

  delete(channel: string): void {
    const held = this.#held;
    if (held instanceof Map) held.delete(channel);
    else if (held?.resolved.name === channel) this.#held = null;
  }

  clear(): void {
    this.#held = null;
  }

  values(): Subscription[] {
    if (this.#held instanceof Map) return [...this.#held.values()];
    return this.#held === null ? [] : [this.#held];
  }
}
