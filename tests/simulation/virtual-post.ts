/** Messages between the nodes of a simulated cluster, who is alive, and who is present: slow, lost, out of order, and cut between some of them. */
import { RunnelError } from '@runnel/protocol';
import type { Random, VirtualTime } from '@runnel/protocol/testing';
import type { BrokerNode, BrokerNodes, NodeListener, NodeMember, PresenceAnnouncement } from '@runnel/server';

export interface VirtualPostOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  /** A message was lost on its way. */
  readonly onLost: (text: string) => void;
}

interface Letter {
  readonly to: string;
  readonly text: string;
}

/** How long a node is taken for alive that is not heard of, ms. */
export const LEASE_MS = 3_000;

export class VirtualPost implements BrokerNodes {
  readonly #options: VirtualPostOptions;
  readonly #nodes = new Map<string, NodeListener>();
  /** Every node that ever joined. */
  readonly #known = new Set<string>();
  /** Nodes that nothing comes from or gets to, and until when. */
  readonly #cut = new Map<string, number>();
  /** Nodes whose lease has run out, or was given back. */
  readonly #dead = new Set<string>();
  /** A node is cut off from the post, or no longer, and notices. */
  onCut: (name: string, isCut: boolean) => void = () => {};
  /** A member has come, has other data, or has left, as those nodes hear that are not cut off. */
  onAnnounced: (channel: string, announcement: PresenceAnnouncement) => void = () => {};
  /** By node and channel: the members that it wants to have there, and those that the others know of. */
  readonly #wanted = new Map<string, Map<string, Map<string, string>>>();
  readonly #entered = new Map<string, Map<string, Map<string, string>>>();
  /** How long a message takes at most, ms; and the probabilities that one is lost, or overtaken. */
  #slowMs = 5;
  #losing = 0;
  #disorder = 0;
  /** What is on its way. */
  readonly #letters = new Set<Letter>();
  /** When the last message from one node to another arrives. */
  readonly #arrivals = new Map<string, number>();

  constructor(options: VirtualPostOptions) {
    this.#options = options;
  }

  async join(name: string, listener: NodeListener): Promise<BrokerNode> {
    this.#nodes.set(name, listener);
    this.#dead.delete(name);
    this.#tell();
    return {
      name,
      send: (to, text) => this.#send(name, to, text),
      enter: async (channel, member, data) => this.#want(name, channel, member, data),
      leave: async (channel, member) => this.#want(name, channel, member, null),
      close: async () => this.bury(name),
    };
  }

  async list(): Promise<readonly string[]> {
    return this.alive();
  }
  async members(channel: string): Promise<readonly NodeMember[]> {
    return this.alive().flatMap((node) => {
      const members = this.#entered.get(node)?.get(channel) ?? new Map<string, string>();
      return Array.from(members, ([member, data]) => ({ node, member, data }));
    });
  }
  async occupancy(channel: string): Promise<number> {
    return new Set((await this.members(channel)).map(({ member }) => member)).size;
  }
  async agree(_: string, proposal: string): Promise<string> {
    return proposal;
  }

  #want(node: string, channel: string, member: string, data: string | null): void {
    if (!this.#nodes.has(node)) return;
    const members = membersOf(this.#wanted, node, channel);
    if (data === null) members.delete(member);
    else members.set(member, data);
    if (this.#cut.has(node)) throw new RunnelError('broker_failed', 'the node is cut off');
    this.#agree(node);
  }

  /** What a node wants is what the others know: at once, and again when it was cut off. */
  #agree(node: string): void {
    const wanted = this.#wanted.get(node) ?? new Map<string, Map<string, string>>();
    for (const [channel, members] of wanted) {
      const known = membersOf(this.#entered, node, channel);
      for (const [member, data] of members) {
        if (known.get(member) === data) continue;
        known.set(member, data);
        this.onAnnounced(channel, { node, member, data });
      }
      for (const member of known.keys()) {
        if (members.has(member)) continue;
        known.delete(member);
        this.onAnnounced(channel, { node, member, data: null });
      }
    }
  }

  /** The node says nothing more. The others take it for alive until its lease runs out. */
  kill(name: string): void {
    this.#end(name);
    this.#options.time.after(LEASE_MS, () => this.bury(name));
  }

  /** The node is not there any more, as everybody knows. */
  bury(name: string): void {
    this.#end(name);
    this.#dead.add(name);
    this.#entered.delete(name);
    this.#wanted.delete(name);
    this.#tell();
  }

  /** It neither speaks nor hears any more: what is on its way to it is lost. */
  #end(name: string): void {
    this.#nodes.delete(name);
    for (const letter of this.#letters) if (letter.to === name) this.#lose(letter);
  }

  #lose(letter: Letter): void {
    this.#letters.delete(letter);
    this.#options.onLost(letter.text);
  }

  /** Nothing comes from the node or gets to it, for a while. Should that be longer than its lease, it is dead to the others, and they to it. */
  cut(name: string, ms: number): void {
    const { time } = this.#options;
    const until = time.now + ms;
    this.#cut.set(name, until);
    this.onCut(name, true);
    const meanwhile = (run: () => void) => (): void => {
      if (this.#nodes.has(name) && this.#cut.get(name) === until) run();
      this.#tell();
    };
    if (ms > LEASE_MS)
      time.after(
        LEASE_MS,
        meanwhile(() => {
          this.#dead.add(name);
          this.#entered.delete(name);
        }),
      );
    time.after(
      ms,
      meanwhile(() => {
        this.#cut.delete(name);
        this.#dead.delete(name);
        this.onCut(name, false);
        this.#agree(name);
      }),
    );
  }

  isCut(name: string): boolean {
    return this.#cut.has(name);
  }

  /** How it fares from here on. */
  shake(): void {
    const { random } = this.#options;
    this.#slowMs = random.pick([5, 50, 400, 2_500]);
    this.#losing = random.pick([0, 0, 0.05, 0.3]);
    this.#disorder = random.pick([0, 0, 0.3]);
  }

  heal(): void {
    this.#losing = 0;
    this.#disorder = 0;
    this.#slowMs = 5;
    const cut = [...this.#cut.keys()];
    this.#cut.clear();
    for (const name of this.#nodes.keys()) this.#dead.delete(name);
    this.#tell();
    for (const name of cut) {
      this.onCut(name, false);
      this.#agree(name);
    }
  }

  #send(from: string, to: string, text: string): void {
    const { random, time, onLost } = this.#options;
    if (!this.#nodes.has(from)) return;
    if (!this.#nodes.has(to) || this.#cut.has(from) || this.#cut.has(to) || random.chance(this.#losing))
      return onLost(text);
    const way = `${from} ${to}`;
    const due = time.now + this.#slowMs * random.next();
    const at = random.chance(this.#disorder) ? due : Math.max(due, this.#arrivals.get(way) ?? 0);
    this.#arrivals.set(way, Math.max(at, this.#arrivals.get(way) ?? 0));
    const letter = { to, text };
    this.#letters.add(letter);
    time.after(at - time.now, () => {
      if (!this.#letters.has(letter)) return;
      if (this.#cut.has(to)) return this.#lose(letter);
      this.#letters.delete(letter);
      this.#nodes.get(to)?.message(text, from);
    });
  }

  alive(): string[] {
    // One that was killed is taken for alive until it is buried.
    return [...this.#known].filter((name) => !this.#dead.has(name)).sort();
  }

  #tell(): void {
    for (const name of this.#nodes.keys()) this.#known.add(name);
    // One that is cut off goes by what it was told last.
    for (const [name, listener] of this.#nodes) if (!this.#cut.has(name)) listener.nodes(this.alive());
  }
}

function membersOf(
  all: Map<string, Map<string, Map<string, string>>>,
  node: string,
  channel: string,
): Map<string, string> {
  const channels = all.get(node) ?? new Map<string, Map<string, string>>();
  all.set(node, channels);
  const members = channels.get(channel) ?? new Map<string, string>();
  channels.set(channel, members);
  return members;
}
