import type { BrokerListener, BrokerNode, BrokerNodes, NodeListener, NodeMember } from '@runnel/server';

/** Nodes in one process. Messages arrive a turn of the event loop later, in order. */
export class LocalNodes implements BrokerNodes {
  readonly #nodes = new Map<string, NodeListener>();
  readonly #agreed = new Map<string, string>();
  readonly #members = new Map<string, Map<string, NodeMember>>();
  /** Called when members have changed. */
  onMembers: () => void = () => {};
  /** Who listens to a channel at the broker. */
  readonly #listeners: (channel: string) => Iterable<BrokerListener>;

  constructor(listeners: (channel: string) => Iterable<BrokerListener>) {
    this.#listeners = listeners;
  }

  async join(name: string, listener: NodeListener): Promise<BrokerNode> {
    this.#nodes.set(name, listener);
    this.#tell();
    const announce = (channel: string, member: string, data: string | null): void => {
      if (!this.#nodes.has(name)) return;
      const members = this.#members.get(channel) ?? new Map<string, NodeMember>();
      this.#members.set(channel, members);
      if (data === null) members.delete(`${name} ${member}`);
      else members.set(`${name} ${member}`, { node: name, member, data });
      this.onMembers();
      for (const heard of this.#listeners(channel)) setImmediate(() => heard.presence?.({ node: name, member, data }));
    };
    return {
      name,
      send: (to, text) => void setImmediate(() => this.#nodes.get(to)?.message(text, name)),
      enter: async (channel, member, data) => announce(channel, member, data),
      leave: async (channel, member) => announce(channel, member, null),
      close: async () => this.drop(name),
    };
  }

  async list(): Promise<readonly string[]> {
    return [...this.#nodes.keys()].sort();
  }

  async members(channel: string): Promise<readonly NodeMember[]> {
    return [...(this.#members.get(channel)?.values() ?? [])];
  }

  async occupancy(channel: string): Promise<number> {
    return new Set((await this.members(channel)).map(({ member }) => member)).size;
  }

  async agree(name: string, proposal: string): Promise<string> {
    const agreed = this.#agreed.get(name) ?? proposal;
    this.#agreed.set(name, agreed);
    return agreed;
  }

  /** The node is not there any more, and nobody who came by it. */
  drop(name: string): void {
    if (!this.#nodes.delete(name)) return;
    for (const members of this.#members.values()) {
      for (const [key, { node }] of members) if (node === name) members.delete(key);
    }
    this.#tell();
  }

  #tell(): void {
    const names = [...this.#nodes.keys()].sort();
    for (const listener of this.#nodes.values()) listener.nodes(names);
  }
}
