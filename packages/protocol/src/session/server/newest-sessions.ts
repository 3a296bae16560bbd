import type { Identity } from './ports.ts';

/** What is asked of a session to be found by its client. */
interface Claimed {
  readonly cid: string;
  readonly identity: Identity;
}

/**
 * The newest session of each client: by `cid`, and for whoever uses the `cid` of somebody else, by identity. Nearly always the former names one session, so
 * that no name is made of the two, and no map.
 */
export class NewestSessions<S extends Claimed> {
  readonly #byCid = new Map<string, S | Map<string, S>>();

  get(id: string, cid: string): S | undefined {
    const known = this.#byCid.get(cid);
    if (known instanceof Map) return known.get(id);
    return known?.identity.id === id ? known : undefined;
  }

  add(session: S): void {
    const { cid, identity } = session;
    const known = this.#byCid.get(cid);
    if (known instanceof Map) known.set(identity.id, session);
    else if (known === undefined || known.identity.id === identity.id) this.#byCid.set(cid, session);
    else {
      const byId = new Map([known, session].map((one) => [one.identity.id, one]));
      this.#byCid.set(cid, byId);
    }
  }

  /** Where it is the newest of its client. */
  delete(session: S): void {
    const { cid, identity } = session;
    const known = this.#byCid.get(cid);
    if (known === session) this.#byCid.delete(cid);
    else if (known instanceof Map && known.get(identity.id) === session) {
      known.delete(identity.id);
      if (known.size === 0) this.#byCid.delete(cid);
    }
  }
}
