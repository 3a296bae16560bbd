import { type Broker, type BrokerNode, type BrokerNodes, memoryBroker } from '@runnel/server';

/** One broker in memory for several nodes in one process. A message from one to another arrives a turn of the event loop later. */
export class SharedBroker {
  readonly #broker = memoryBroker();
  readonly #joined = new Map<string, BrokerNode>();
  /** What a node waits for that begins to listen to a channel. */
  subscribing: Promise<void> = Promise.resolve();
  /** Called when members have changed. */
  onMembers: () => void = () => {};

  get nodes(): BrokerNodes {
    const { nodes } = this.#broker;
    if (nodes === undefined) throw new Error('the memory broker has no nodes');
    return nodes;
  }

  forNode(): Broker {
    const broker = this.#broker;
    const { nodes } = this;
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
        const begin = (): Promise<void> => broker.subscribe(channel, listener);
        return before > 0 ? begin() : this.subscribing.then(begin);
      },
      unsubscribe: (channel, listener) => {
        listening.set(channel, (listening.get(channel) ?? 1) - 1);
        broker.unsubscribe(channel, listener);
      },
      nodes: {
        join: async (name, listener) => {
          const own = await nodes.join(name, listener);
          this.#joined.set(name, own);
          return {
            ...own,
            send: (to, text) => void setImmediate(() => own.send(to, text)),
            enter: (...entry) => own.enter(...entry).then(() => this.onMembers()),
            leave: (...entry) => own.leave(...entry).then(() => this.onMembers()),
          };
        },
        list: () => nodes.list(),
        members: (channel) => nodes.members(channel),
        occupancy: (channel) => nodes.occupancy(channel),
        agree: (name, proposal) => nodes.agree(name, proposal),
      },
      close: async () => {},
    };
  }

  /** The node is not there any more, and nobody who came by it. */
  drop(name: string): void {
    void this.#joined.get(name)?.close();
  }
}
