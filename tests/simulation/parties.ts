/** The clients of a world, as they come and go. */
import type { VirtualClient } from '@runnel/protocol/testing';

/** At once. */
export const PARTIES_MAX = 3;
/** What the dead leave behind is still checked against their names, for a while. */
const DEAD_KEPT = 2;

interface Member {
  readonly client: VirtualClient;
  /** It is closed, kicked or dead. */
  readonly over: boolean;
}

export class Parties<P extends Member> {
  readonly #create: (name: string) => P;
  /** Living and not; those that are over are forgotten in time. */
  #all: readonly P[] = [];
  #joined = 0;

  constructor(create: (name: string) => P) {
    this.#create = create;
  }

  get all(): readonly P[] {
    return this.#all;
  }
  get living(): readonly P[] {
    return this.#all.filter(({ over }) => !over);
  }
  get clients(): readonly VirtualClient[] {
    return this.living.map(({ client }) => client);
  }

  /** Another one comes; false: there are enough. */
  join(): boolean {
    const { living } = this;
    if (living.length >= PARTIES_MAX) return false;
    this.#joined += 1;
    const dead = this.#all.filter(({ over }) => over).slice(-DEAD_KEPT);
    this.#all = [...living, ...dead, this.#create(`c${this.#joined}`)];
    return true;
  }
}
