import { type Broker, type BrokerListener, memoryBroker } from '@runnel/server';
import { LocalNodes } from './local-nodes.ts';

/** One broker in memory for several nodes in one process. */
export class SharedBroker {
  readonly #broker = memoryBroker();
  readonly #listeners = new Map<string, Set<BrokerListener>>();
  readonly nodes: LocalNodes = new LocalNodes((channel) => this.#listeners.get(channel) ?? []);
  /** What a node waits for that begins to listen to a channel. */
  subscribing: Promise<void> = Promise.resolve();

  forNode(): Broker {
    const broker = this.#broker;
    /** The channels that this node listens to, and how often. */
    const listening = new Map<string, number>();
    return {
      publish: (channel, entry, options) => broker.publish(channel, entry, options),
      send: (channel, entry) => broker.send(channel, entry),
      read: (channel, query) => broker.read(channel, query),
      heads: (channels) => broker.heads(channels),
      subscribe: (channel, listener) => {
        const before = listening.get(channel) ?? 0;
        listening.set(channel, before + 1);
        const begin = (): Promise<void> => {
          this.#listeners.set(channel, (this.#listeners.get(channel) ?? new Set()).add(listener));
          return broker.subscribe(channel, listener);
        };
        return before > 0 ? begin() : this.subscribing.then(begin);
      },
      unsubscribe: (channel, listener) => {
        listening.set(channel, (listening.get(channel) ?? 1) - 1);
        this.#listeners.get(channel)?.delete(listener);
        broker.unsubscribe(channel, listener);
      },
      nodes: this.nodes,
      close: async () => {},
    };
  }
}
