import type { BrokerNode, BrokerNodes, NodeListener } from '../../src/brokers/nodes.ts';

/** Messages between nodes in one process, which may be held back, changed or lost on the way. */
export class LocalPost implements BrokerNodes {
  readonly #nodes = new Map<string, NodeListener>();
  /** What becomes of a message: as it is, or otherwise, or nothing. */
  fate: (text: string, to: string, from: string) => readonly string[] = (text) => [text];
  /** Messages are delivered when `deliver` is called rather than by themselves. */
  holds = false;
  #held: (() => void)[] = [];

  async join(name: string, listener: NodeListener): Promise<BrokerNode> {
    this.#nodes.set(name, listener);
    this.#tell();
    return {
      name,
      send: (to, text) => {
        for (const one of this.fate(text, to, name)) this.#send(() => this.#nodes.get(to)?.message(one, name));
      },
      enter: async () => {},
      leave: async () => {},
      close: async () => this.drop(name),
    };
  }

  async list(): Promise<readonly string[]> {
    return [...this.#nodes.keys()].sort();
  }
  async members(): Promise<readonly []> {
    return [];
  }
  async occupancy(): Promise<number> {
    return 0;
  }
  async agree(_: string, proposal: string): Promise<string> {
    return proposal;
  }

  drop(name: string): void {
    this.#nodes.delete(name);
    this.#tell();
  }

  deliver(): void {
    for (const send of this.#held.splice(0)) send();
  }

  #send(run: () => void): void {
    if (this.holds) this.#held.push(run);
    else queueMicrotask(run);
  }

  #tell(): void {
    const names = [...this.#nodes.keys()].sort();
    for (const listener of this.#nodes.values()) listener.nodes(names);
  }
}
