/**
 * The keep-alive connections that a browser has for its requests, per client. A request takes an idle one, the one used last first, or opens another, which
 * costs a round trip. When the network changes under the page the idle ones are dead, and nothing says so before they are used.
 */
export interface PooledConnection {
  /** Whether what is sent on it gets nowhere. */
  dead: boolean;
  /** What went up it, in UTF-16 units. */
  sent: number;
}

export class ConnectionPool<Owner extends object> {
  readonly #idle = new Map<Owner, PooledConnection[]>();

  /** An idle connection of the owner's; null: there is none. */
  take(owner: Owner): PooledConnection | null {
    return this.#idle.get(owner)?.pop() ?? null;
  }

  /** A request on it was answered whole. */
  giveBack(owner: Owner, connection: PooledConnection): void {
    const idle = this.#idle.get(owner) ?? [];
    idle.push(connection);
    this.#idle.set(owner, idle);
  }

  /** The network has changed: all that is idle is dead. */
  die(): void {
    for (const idle of this.#idle.values()) for (const connection of idle) connection.dead = true;
  }
}
