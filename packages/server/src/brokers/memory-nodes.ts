import { RunnelError } from '@runnel/protocol';
import {
  type BrokerNode,
  type BrokerNodes,
  checkInboxText,
  countMembers,
  type NodeListener,
  type NodeMember,
  type PresenceAnnouncement,
} from './nodes.ts';

/** What the nodes' broker does for them. */
export interface MemoryNodesOptions {
  readonly announce: (channel: string, announcement: PresenceAnnouncement) => void;
}

/** Nodes of one process, which share a broker: their leases end when they are given back, or all together. */
export class MemoryNodes implements BrokerNodes {
  readonly #options: MemoryNodesOptions;
  readonly #joined = new Map<string, NodeListener>();
  /** Data by member by node by channel. */
  readonly #channels = new Map<string, Map<string, Map<string, string>>>();
  readonly #agreed = new Map<string, string>();
  #closed = false;

  constructor(options: MemoryNodesOptions) {
    this.#options = options;
  }

  async join(name: string, listener: NodeListener): Promise<BrokerNode> {
    this.#checkOpen();
    if (this.#joined.has(name)) throw new RunnelError('broker_failed', `a node is called ${name} already`);
    this.#joined.set(name, listener);
    this.#tellNodes();
    return {
      name,
      send: (to, text) => {
        checkInboxText(text);
        if (this.#joined.get(name) === listener) this.#joined.get(to)?.message(text, name);
      },
      enter: async (channel, member, data) => {
        this.#checkOpen();
        if (this.#joined.get(name) === listener) this.#enter(channel, { node: name, member, data });
      },
      leave: async (channel, member) => {
        this.#checkOpen();
        if (this.#joined.get(name) === listener) this.#leave(channel, name, member);
      },
      close: async () => {
        if (this.#joined.get(name) === listener) this.#end(name);
      },
    };
  }

  async list(): Promise<readonly string[]> {
    this.#checkOpen();
    return this.#names();
  }

  async members(channel: string): Promise<readonly NodeMember[]> {
    this.#checkOpen();
    return this.#membersOf(channel);
  }

  async occupancy(channel: string): Promise<number> {
    this.#checkOpen();
    return countMembers(this.#membersOf(channel));
  }

  async agree(name: string, proposal: string): Promise<string> {
    this.#checkOpen();
    const agreed = this.#agreed.get(name) ?? proposal;
    this.#agreed.set(name, agreed);
    return agreed;
  }

  close(): void {
    this.#closed = true;
    this.#joined.clear();
    this.#channels.clear();
  }

  #enter(channel: string, entered: NodeMember): void {
    const { node, member, data } = entered;
    const byNode = this.#channels.get(channel) ?? new Map<string, Map<string, string>>();
    const members = byNode.get(node) ?? new Map<string, string>();
    this.#channels.set(channel, byNode.set(node, members.set(member, data)));
    this.#options.announce(channel, entered);
  }

  #leave(channel: string, node: string, member: string): void {
    const members = this.#channels.get(channel)?.get(node);
    if (!members?.delete(member)) return;
    if (members.size === 0) this.#drop(channel, node);
    this.#options.announce(channel, { node, member, data: null });
  }

  #end(name: string): void {
    this.#joined.delete(name);
    for (const channel of [...this.#channels.keys()]) this.#drop(channel, name);
    this.#tellNodes();
  }

  #drop(channel: string, node: string): void {
    const byNode = this.#channels.get(channel);
    if (byNode?.delete(node) && byNode.size === 0) this.#channels.delete(channel);
  }

  #membersOf(channel: string): NodeMember[] {
    return [...(this.#channels.get(channel) ?? [])].flatMap(([node, members]) =>
      Array.from(members, ([member, data]) => ({ node, member, data })),
    );
  }

  #tellNodes(): void {
    const names = this.#names();
    for (const listener of [...this.#joined.values()]) listener.nodes(names);
  }

  #names(): readonly string[] {
    return [...this.#joined.keys()].sort();
  }

  #checkOpen(): void {
    if (this.#closed) throw new RunnelError('broker_failed', 'the broker is closed');
  }
}
