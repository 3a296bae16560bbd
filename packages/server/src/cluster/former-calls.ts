/**
 * The calls of a session that are answered by nodes which had it before (PROTOCOL §12.2). Their answers come by messages that may be lost, so they are
 * numbered: after a gap, or where the node is gone, nobody knows what was answered.
 */
import type { AppUpFrame } from '@runnel/protocol';

/** What a session left at a node when it was taken from there for a generation. */
export interface EstateName {
  readonly node: string;
  readonly gen: number;
}

/** The calls of one estate, on their way with a session that goes on. */
export interface CallsElsewhere {
  readonly estate: EstateName;
  /** Those that are not answered. */
  readonly ids: readonly number[];
  /** Relays that have come from there. */
  readonly heard: number;
}

/** Answers of an estate to its session. */
export interface Relay {
  readonly estate: EstateName;
  /** Counts the relays of the estate, from 0. */
  readonly n: number;
  readonly lines: readonly string[];
  /** The calls that are still unanswered after them. */
  readonly open: readonly number[];
}

export class FormerCalls {
  readonly #tell: (estate: EstateName, frame: AppUpFrame) => void;
  readonly #estates = new Map<string, CallsElsewhere>();

  /** `tell` hands an estate a frame that concerns one of its calls. */
  constructor(calls: readonly CallsElsewhere[], tell: (estate: EstateName, frame: AppUpFrame) => void) {
    this.#tell = tell;
    for (const one of calls) this.#set(one);
  }

  get calls(): readonly CallsElsewhere[] {
    return [...this.#estates.values()];
  }

  /** Hands on a frame that concerns a call; false: it concerns none of these. */
  tell(id: number, frame: AppUpFrame): boolean {
    for (const { estate, ids } of this.#estates.values()) {
      if (!ids.includes(id)) continue;
      this.#tell(estate, frame);
      return true;
    }
    return false;
  }

  /** What of a relay is for the client, and the calls of which it will hear no more. */
  take({ estate, n, lines, open }: Relay): { readonly lines: readonly string[]; readonly lost: readonly number[] } {
    const known = this.#estates.get(nameOf(estate));
    if (known === undefined || n < known.heard) return { lines: [], lost: [] };
    this.#estates.delete(nameOf(estate));
    if (n > known.heard) return { lines: [], lost: known.ids };
    this.#set({ estate, ids: open, heard: n + 1 });
    return { lines, lost: [] };
  }

  /** Forgets the calls of nodes that are not alive any more, and returns them. */
  keep(alive: ReadonlySet<string>): readonly number[] {
    const lost: number[] = [];
    for (const [name, { estate, ids }] of this.#estates) {
      if (alive.has(estate.node)) continue;
      this.#estates.delete(name);
      lost.push(...ids);
    }
    return lost;
  }

  #set(calls: CallsElsewhere): void {
    if (calls.ids.length > 0) this.#estates.set(nameOf(calls.estate), calls);
  }
}

const nameOf = ({ node, gen }: EstateName): string => `${gen} ${node}`;
