/** The channels of a broker on a server: a channel that somebody of this process listens to is a topic of the link. */
import { Backoff } from './backoff.ts';
import { Followers } from './followers.ts';
import { type Link, type LinkEvents, LinkKeeper } from './link-keeper.ts';

/** What every broker on a server may be told. */
export interface LinkedBrokerOptions {
  /** How long a call may go unanswered before it fails and the connection is given up for another, ms. Default: 5,000. */
  readonly timeoutMs?: number | undefined;
  /** How long an idempotency key is remembered, ms. Default: as `limits.dedupMs`, 5 minutes. */
  readonly dedupMs?: number | undefined;
  /** How long a node counts as alive that is not heard of, ms. Default: 10,000. */
  readonly leaseMs?: number | undefined;
  /** Calls that may wait for an answer. Default: 10,000. */
  readonly pendingMax?: number | undefined;
  /** What they may carry together, UTF-16 units. Default: 64 Mi. */
  readonly pendingLengthMax?: number | undefined;
}

/** How long an idempotency key is remembered, and a node counts as alive, unless the app says otherwise, ms. */
export const DEDUP_MS = 300_000;
export const LEASE_MS = 10_000;

export interface LinkedChannelsOptions<L extends Link> extends LinkedBrokerOptions {
  /** Of the server, for messages. */
  readonly server: string;
  readonly createLink: (events: LinkEvents & { readonly timeoutMs: number }) => L;
  readonly topicOf: (channel: string) => string;
  /** Topics that are no channel's. */
  readonly inboxes: () => Iterable<string>;
}

export class LinkedChannels<L extends Link> {
  readonly links: LinkKeeper<L>;
  /** Who listens to what, and hears what comes. */
  readonly followers: Followers;
  /** Channel by topic. */
  readonly #byTopic = new Map<string, string>();

  constructor(options: LinkedChannelsOptions<L>) {
    const { server, createLink, topicOf, inboxes } = options;
    const { timeoutMs = 5_000, pendingMax: callsMax = 10_000, pendingLengthMax: lengthMax = 67_108_864 } = options;
    this.followers = new Followers({
      open: (channel) => {
        const topic = topicOf(channel);
        this.#byTopic.set(topic, channel);
        return this.links.subscribe(topic);
      },
      close: (channel) => {
        const topic = topicOf(channel);
        this.#byTopic.delete(topic);
        this.links.unsubscribe(topic);
      },
    });
    this.links = new LinkKeeper<L>({
      ...{ server, timeoutMs, callsMax, lengthMax },
      createLink: (events) => createLink({ ...events, timeoutMs }),
      backoff: new Backoff({ minMs: 50, maxMs: 2_000 }),
      topics: () => [...this.#byTopic.keys(), ...inboxes()],
    });
  }

  /** How many are followed. */
  get size(): number {
    return this.#byTopic.size;
  }

  /** The one of a topic; undefined: it is none that is followed. */
  of(topic: string): string | undefined {
    return this.#byTopic.get(topic);
  }

  close(): void {
    this.followers.clear();
    this.#byTopic.clear();
    this.links.close();
  }
}
