/** One node's connection to a broker that outlives it. After `cut` nothing comes or goes any more, and no promise is kept. */
import type { Position } from '@runnel/protocol';
import type {
  Broker,
  BrokerListener,
  BrokerPublishOptions,
  LogRead,
  NewEntry,
  PresenceAnnouncement,
  ReadQuery,
} from '@runnel/server';

export class NodeBroker implements Broker {
  readonly #inner: Broker;
  readonly #onAccepted: (channel: string, entry: NewEntry, position: Position) => void;
  readonly #listeners = new Map<BrokerListener, string>();
  #cut = false;

  constructor(inner: Broker, onAccepted: (channel: string, entry: NewEntry, position: Position) => void) {
    this.#inner = inner;
    this.#onAccepted = onAccepted;
  }

  cut(): void {
    this.#cut = true;
    for (const [listener, channel] of this.#listeners) this.#inner.unsubscribe(channel, listener);
  }

  /** Somebody is present by way of a node, or no longer. */
  announce(channel: string, announcement: PresenceAnnouncement): void {
    for (const [listener, heard] of this.#listeners) if (heard === channel) listener.presence?.(announcement);
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
    return this.#alive(async () => {
      this.#listeners.set(listener, channel);
      await this.#inner.subscribe(channel, listener);
      if (this.#cut) this.#inner.unsubscribe(channel, listener);
    });
  }

  unsubscribe(channel: string, listener: BrokerListener): void {
    this.#listeners.delete(listener);
    if (!this.#cut) this.#inner.unsubscribe(channel, listener);
  }

  close(): Promise<void> {
    return Promise.resolve();
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
