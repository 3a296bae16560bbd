import type { Subscription } from './subscription.ts';

/** The subscriptions of one session by channel name. Most sessions have one, which needs no map. */
export class SessionSubscriptions {
  /** The only one, while there is no map. */
  #only: Subscription | null = null;
  /** All of them; made with the second. */
  #all: Map<string, Subscription> | null = null;

  get size(): number {
    return this.#all?.size ?? (this.#only === null ? 0 : 1);
  }

  get(channel: string): Subscription | undefined {
    if (this.#all !== null) return this.#all.get(channel);
    return this.#only?.resolved.name === channel ? this.#only : undefined;
  }

  /** In place of the one to the same channel, if there is one. */
  set(subscription: Subscription): void {
    const { name } = subscription.resolved;
    const only = this.#only;
    if (this.#all !== null) this.#all.set(name, subscription);
    else if (only === null || only.resolved.name === name) this.#only = subscription;
    else {
      this.#only = null;
      this.#all = new Map([only, subscription].map((one) => [one.resolved.name, one]));
    }
  }

  delete(channel: string): void {
    if (this.get(channel) === this.#only) this.#only = null;
    this.#all?.delete(channel);
  }

  clear(): void {
    this.#only = null;
    this.#all = null;
  }

  values(): Subscription[] {
    if (this.#all !== null) return [...this.#all.values()];
    return this.#only === null ? [] : [this.#only];
  }
}
