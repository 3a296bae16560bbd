import type { Line } from '../ledger.ts';
import type { Identity } from './ports.ts';
import type { ServerLink } from './server-link.ts';

/** A client that keeps changing sockets has this many superseded ones kept for it. */
const PARKED_MAX = 2;

/** Superseded sockets of one session, the oldest first; those that were closed or carry something again go with the next one. */
export class ParkedLinks<L extends Line, I extends Identity> {
  #links: ServerLink<L, I>[] = [];

  park(link: ServerLink<L, I>): void {
    const { session } = link;
    this.#links = [
      ...this.#links.filter((other) => other !== link && !other.closed && other.session === session),
      link,
    ];
    if (this.#links.length > PARKED_MAX) this.#links.shift()?.end('superseded', 'too many links were superseded');
  }

  /** It carries something again. */
  take(link: ServerLink<L, I>): void {
    this.#links = this.#links.filter((other) => other !== link);
  }

  clear(): void {
    this.#links = [];
  }
}
