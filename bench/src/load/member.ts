/** One client and its books. */
import type { CallKind } from '../messages.ts';
import type { Client } from './client.ts';
import type { Crowd } from './crowd.ts';
import type { ClientClass } from './roster.ts';

interface MemberOptions {
  readonly crowd: Crowd;
  readonly ClientOf: ClientClass;
  readonly index: number;
  readonly port: number;
  readonly postPort: number;
  readonly deflate: boolean;
  /** None: the lobby, channel 0. */
  readonly channels: readonly number[];
  readonly sampled: boolean;
}

/** The answer to a call; its payload, where it has one, ends at `end`. */
interface Answer {
  readonly bytes: Buffer;
  readonly end: number;
}

export class Member {
  readonly index: number;
  readonly sampled: boolean;
  readonly channels: ReadonlySet<number>;
  readonly client: Client;
  /** Messages of the window under way. */
  taken = 0;
  /** Number of the next message of a channel, in the window under way. */
  readonly next = new Map<number, number>();
  /** Of whoever waits for it to be ready. */
  #resolveReady: () => void = () => {};
  /** Of calls whose answer has not come, oldest first. */
  readonly #callers: ((answer: Answer) => void)[] = [];

  constructor({ crowd, ClientOf, index, port, postPort, deflate, channels, sampled }: MemberOptions) {
    this.index = index;
    this.sampled = sampled;
    this.channels = new Set(channels.length === 0 ? [0] : channels);
    this.client = new ClientOf({
      ...{ index, port, postPort, deflate, channels, sampled },
      ready: () => this.#resolveReady(),
      message: (bytes, end) => {
        this.taken += 1;
        if (sampled) crowd.compare(this, bytes, end);
        crowd.message();
      },
      answer: (bytes, end) => {
        const caller = this.#callers.shift();
        if (caller === undefined) crowd.fail(`client ${index} got an answer to nothing`);
        else caller({ bytes, end });
      },
      received: (bytes) => crowd.received(bytes),
      fail: (message) => crowd.fail(`client ${index} ${message}`),
    });
  }

  /** When its client says so next. */
  whenReady(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolveReady = resolve;
    });
  }

  open(): void {
    this.taken = 0;
    this.next.clear();
  }

  call(kind: CallKind, n: number, payload: string): Promise<Answer> {
    return new Promise((resolve) => {
      this.#callers.push(resolve);
      if (this.client.call === undefined) throw new Error(`client ${this.index} makes no calls`);
      this.client.call(kind, n, payload);
    });
  }
}
