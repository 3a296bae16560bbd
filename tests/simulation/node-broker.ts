/** One node's connection to a broker that outlives it. After `cut` nothing comes or goes any more, and no promise is kept. */
import type { Position } from '@runnel/protocol';
import {
  type Broker,
  type BrokerListener,
  type BrokerPublishOptions,
  Followers,
  type LogRead,
  type NewEntry,
  type PresenceAnnouncement,
  type ReadQuery,
} from '@runnel/server';

export class NodeBroker implements Broker {
  readonly #inner: Broker;
  readonly #onAccepted: (channel: string, entry: NewEntry, position: Position) => void;
  readonly #followers: Followers;
  /** By channel that the node follows: what the broker knows of it. */
  readonly #feeds = new Map<string, BrokerListener>();
  #cut = false;

  constructor(inner: Broker, onAccepted: (channel: string, entry: NewEntry, position: Position) => void) {
    this.#inner = inner;
    this.#onAccepted = onAccepted;
    this.#followers = new Followers({
      open: (channel) => this.#open(channel),
      close: (channel) => this.#close(channel),
    });
  }

  cut(): void {
    this.#cut = true;
    for (const channel of [...this.#feeds.keys()]) this.#close(channel);
  }

  /** Somebody is present by way of a node, or no longer. */
  announce(channel: string, announcement: PresenceAnnouncement): void {
    this.#followers.presence(channel, announcement);
  }

  publish(channel: string, entry: NewEntry, options: BrokerPublishOptions): Promise<Position> {
    return this.#alive(() =>
      this.#inner.publish(channel, entry, options).then((position) => {
        this.#onAccepted(channel, entry, position);
        return position;
      }),
    );
  }

  send(channel: string, entry: NewEntry): void {
    if (!this.#cut) this.#inner.send(channel, entry);
  }

  read(channel: string, query: ReadQuery): Promise<LogRead> {
    return this.#alive(() => this.#inner.read(channel, query));
  }

  heads(channels: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    return this.#alive(() => this.#inner.heads(channels));
  }

  subscribe(channel: string, listener: BrokerListener): Promise<void> {
    return this.#alive(() => this.#followers.add(channel, listener));
  }

  unsubscribe(channel: string, listener: BrokerListener): void {
    this.#followers.remove(channel, listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #open(channel: string): Promise<void> {
    const isHeard = (): boolean => this.#feeds.get(channel) === feed;
    const feed: BrokerListener = {
      message: (entry, epoch) => {
        if (isHeard()) this.#followers.message(channel, entry, epoch);
      },
      volatile: (entry) => {
        if (isHeard()) this.#followers.volatile(channel, entry);
      },
    };
    this.#feeds.set(channel, feed);
    await this.#inner.subscribe(channel, feed);
    if (!isHeard()) this.#inner.unsubscribe(channel, feed);
  }

  #close(channel: string): void {
    const feed = this.#feeds.get(channel);
    this.#feeds.delete(channel);
    if (feed !== undefined) this.#inner.unsubscribe(channel, feed);
  }

  /** The outcome of `run`, unless the node is gone by then. */
  #alive<T>(run: () => Promise<T>): Promise<T> {
    if (this.#cut) return new Promise<T>(() => {});
    return new Promise<T>((resolve, reject) => {
      run().then(
        (value) => {
          if (!this.#cut) resolve(value);
        },
        (error: unknown) => {
          if (!this.#cut) reject(error);
        },
      );
    });
  }
}
