import { MemoryNodes } from '../../src/brokers/memory-nodes.ts';
import type { BrokerNode, NodeListener } from '../../src/brokers/nodes.ts';

/** Nodes in one process, whose messages may be held back, changed or lost on the way. */
export class LocalPost extends MemoryNodes {
  readonly #joined = new Map<string, BrokerNode>();
  /** What becomes of a message: as it is, or otherwise, or nothing. */
  fate: (text: string, to: string, from: string) => readonly string[] = (text) => [text];
  /** Messages are delivered when `deliver` is called rather than by themselves. */
  holds = false;
  #held: (() => void)[] = [];

  constructor() {
    super({ announce: () => {} });
  }

  override async join(name: string, listener: NodeListener): Promise<BrokerNode> {
    const own = await super.join(name, listener);
    this.#joined.set(name, own);
    return {
      ...own,
      send: (to, text) => {
        for (const one of this.fate(text, to, name)) this.#send(() => own.send(to, one));
      },
    };
  }

  /** The node is there no more. */
  drop(name: string): void {
    void this.#joined.get(name)?.close();
  }

  deliver(): void {
    for (const send of this.#held.splice(0)) send();
  }

  #send(run: () => void): void {
    if (this.holds) this.#held.push(run);
    else queueMicrotask(run);
  }
}
