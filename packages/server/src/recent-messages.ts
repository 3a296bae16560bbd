import { bytesOf, type LiveMessage } from './live-message.ts';

/** With fewer, subscriptions that read the log would only have to read once more. */
const MESSAGES_MAX = 256;
const BYTES_MAX = 1_048_576;

/** The latest live messages of a channel, kept for subscriptions that are not live yet while there are any. */
export class RecentMessages {
  /** How many of them there are. */
  #readers = 0;
  #messages: LiveMessage[] = [];
  #bytes = 0;

  /** Whether somebody wants them kept. */
  get wanted(): boolean {
    return this.#readers > 0;
  }

  begin(): void {
    this.#readers += 1;
  }

  end(): void {
    this.#readers -= 1;
    if (this.#readers === 0) this.forget();
  }

  /** Offsets rise. */
  add(message: LiveMessage): void {
    this.#messages.push(message);
    this.#bytes += bytesOf(message);
    while (this.#messages.length > MESSAGES_MAX || this.#bytes > BYTES_MAX) {
      const oldest = this.#messages.shift();
      if (oldest === undefined) return;
      this.#bytes -= bytesOf(oldest);
    }
  }

  /** Those above `offset`, where they follow on it without a gap; otherwise null. */
  after(offset: number): readonly LiveMessage[] | null {
    const at = this.#messages.findIndex((message) => message.offset > offset);
    const first = this.#messages[at];
    return first === undefined || first.prev > offset ? null : this.#messages.slice(at);
  }

  forget(): void {
    this.#messages = [];
    this.#bytes = 0;
  }
}
