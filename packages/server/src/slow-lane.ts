import type { SlowPolicy } from '@runnel/protocol';
import type { LiveMessage } from './live-message.ts';
import type { Receiver } from './receiver.ts';
import { type WaitingBounds, WaitingMessages } from './waiting-messages.ts';

export interface SlowLaneOptions {
  readonly receiver: Receiver;
  readonly onSlow: SlowPolicy;
  readonly bounds: WaitingBounds;
  /** Sends a message, counted. */
  readonly send: (message: LiveMessage) => void;
  /** Tells the subscriber that it will not get these, both ends included. */
  readonly skip: (from: number, to: number) => void;
}

/**
 * The way of a subscription's messages where some of them may be dropped: straight through, or, while the session is slow, by a queue in
 * which they are not counted yet (PROTOCOL §5.23, §8.5).
 */
export class SlowLane {
  readonly #options: SlowLaneOptions;
  /** Null while messages go straight through. */
  #waiting: WaitingMessages | null = null;
  /** Calls off the wait for the session to drain; null while nothing waits. */
  #stopWaiting: (() => void) | null = null;

  constructor(options: SlowLaneOptions) {
    this.#options = options;
  }

  /** @param after offset of the message handed in before, or of the position that the subscription has begun at */
  take(message: LiveMessage, after: number): void {
    const { receiver, bounds } = this.#options;
    if (this.#waiting === null) {
      if (!receiver.slow) return this.#options.send(message);
      this.#waiting = new WaitingMessages(after, bounds);
      this.#stopWaiting = receiver.whenDrained(this.#drain);
    }
    this.#waiting.push(message);
    if (this.#waiting.overfull) this.#overflow(this.#waiting);
  }

  /** Sends what waits, slow or not. */
  flush(): void {
    const waiting = this.#waiting;
    this.clear();
    if (waiting !== null) while (this.#depart(waiting));
  }

  /** Drops what waits, without a word. */
  clear(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    this.#waiting = null;
  }

  #overflow(waiting: WaitingMessages): void {
    if (this.#options.onSlow === 'drop-oldest') {
      while (waiting.overfull) waiting.dropOldest();
      return;
    }
    // What may not be dropped goes where it would have gone without a queue; PROTOCOL §8.6 bounds that.
    this.flush();
  }

  readonly #drain = (): void => {
    const { receiver } = this.#options;
    const waiting = this.#waiting;
    this.#stopWaiting = null;
    if (waiting === null) return;
    while (!receiver.slow && this.#depart(waiting));
    if (waiting.size === 0) this.#waiting = null;
    else this.#stopWaiting = receiver.whenDrained(this.#drain);
  };

  /** Sends the oldest; false: there is none. */
  #depart(waiting: WaitingMessages): boolean {
    const departure = waiting.shift();
    if (departure === null) return false;
    const { message, skipped } = departure;
    if (skipped !== null) this.#options.skip(skipped.from, skipped.to);
    this.#options.send(message);
    return true;
  }
}
