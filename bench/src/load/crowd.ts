/** All subscribers of one contender. */
import type { Received } from '../messages.ts';
import { payloadOf } from '../payload.ts';
import type { Dialect } from './dialect.ts';
import { Subscriber } from './subscriber.ts';

/** Handshakes under way at once. */
const CONNECTING_MAX = 64;
/** One subscriber in so many compares what it gets. */
const SAMPLE_EVERY = 50;

export interface CrowdOptions {
  readonly dialect: Dialect;
  readonly port: number;
  readonly count: number;
  /** Every subscriber has every message of the turn. */
  readonly onTurn: () => void;
  readonly onFailure: (error: Error) => void;
}

export interface CrowdWindow {
  /** Number of its first message. */
  readonly from: number;
  readonly perTurn: number;
  readonly payloadBytes: number;
}

export class Crowd {
  readonly #options: CrowdOptions;
  readonly #subscribers: Subscriber[] = [];
  /** Messages of this window, and how many they are when the turn is complete. */
  #received = 0;
  #target = 0;
  /** The window under way; null between windows. */
  #window: CrowdWindow | null = null;
  #compared = 0;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  /** Resolves when all are subscribed. */
  async connect(): Promise<void> {
    const { count } = this.#options;
    let next = 0;
    const connectOnes = async (): Promise<void> => {
      while (next < count) {
        const index = next;
        next += 1;
        await this.#connectOne(index);
      }
    };
    await Promise.all(Array.from({ length: CONNECTING_MAX }, connectOnes));
  }

  open(window: CrowdWindow): void {
    this.#window = window;
    this.#received = 0;
    this.#target = window.perTurn * this.#options.count;
    this.#compared = 0;
    for (const [index, subscriber] of this.#subscribers.entries()) {
      subscriber.taken = 0;
      subscriber.bytes = 0;
      subscriber.compare = index % SAMPLE_EVERY === 0 ? this.#compare : null;
    }
  }

  /** @throws where a subscriber has more or fewer messages than another */
  close(): Received {
    this.#window = null;
    const [{ taken: messages } = { taken: 0 }] = this.#subscribers;
    let bytes = 0;
    for (const subscriber of this.#subscribers) {
      subscriber.compare = null;
      bytes += subscriber.bytes;
      if (subscriber.taken === messages) continue;
      throw new Error(`connection ${subscriber.index} got ${subscriber.taken} messages, connection 0 ${messages}`);
    }
    return { messages, bytes, compared: this.#compared };
  }

  readonly #compare = (at: number, bytes: Buffer, end: number): void => {
    if (this.#window === null) return;
    const { from, payloadBytes } = this.#window;
    const expected = Buffer.from(JSON.stringify(payloadOf(from + at, payloadBytes)));
    const start = end - expected.length;
    this.#compared += 1;
    if (start >= 0 && expected.compare(bytes, start, end) === 0) return;
    const found = bytes.toString('utf8', Math.max(start, 0), end);
    this.#options.onFailure(new Error(`message ${at} of the window is ${found}, expected ${expected}`));
  };

  #connectOne(index: number): Promise<void> {
    return new Promise((resolve) => {
      const { dialect, port, onFailure } = this.#options;
      const onMessages = (count: number): void => this.#count(count);
      this.#subscribers[index] = new Subscriber({ dialect, port, index, onReady: resolve, onMessages, onFailure });
    });
  }

  #count(messages: number): void {
    const { onFailure, onTurn, count } = this.#options;
    this.#received += messages;
    if (this.#received < this.#target) return;
    if (this.#window === null || this.#received > this.#target) {
      onFailure(new Error(`${this.#received} messages came where ${this.#target} were sent`));
    } else {
      this.#target += this.#window.perTurn * count;
      onTurn();
    }
  }
}
