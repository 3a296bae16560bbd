import type { Direction, ProxyConnection, ProxyObserver } from './tcp-proxy.ts';

/**
 * Counts round trips by cause and effect instead of by the clock, so that a busy machine changes nothing.
 *
 * A flight is one way. Whatever the client sends is one flight later than the latest thing it has been brought, over any connection; what the server sends
 * is one flight later than the latest thing it has been brought over the same connection, which is where it answers. A new connection has cost two flights
 * (SYN, SYN-ACK) before its first byte can leave.
 */
export class FlightCounter implements ProxyObserver {
  readonly #connections = new Map<ProxyConnection, { usableAt: number; broughtUp: number }>();
  /** Of what the client was brought last. */
  #broughtDown = 0;

  /** Flights that what the client has been brought by now has taken, one after another. */
  get flights(): number {
    return this.#broughtDown;
  }

  get roundTrips(): number {
    return this.#broughtDown / 2;
  }

  /** Counts from here on. Connections that are open have cost what they cost. */
  restart(): void {
    this.#broughtDown = 0;
    for (const connection of this.#connections.values()) {
      connection.usableAt = 0;
      connection.broughtUp = 0;
    }
  }

  opened(connection: ProxyConnection): void {
    this.#connections.set(connection, { usableAt: this.#broughtDown + 2, broughtUp: 0 });
  }

  chunk(connection: ProxyConnection, direction: Direction): (() => void) | undefined {
    const at = this.#connections.get(connection);
    if (at === undefined) return undefined;
    if (direction === 'up') {
      const flight = Math.max(this.#broughtDown, at.usableAt) + 1;
      return () => {
        at.broughtUp = Math.max(at.broughtUp, flight);
      };
    }
    const flight = at.broughtUp + 1;
    return () => {
      this.#broughtDown = Math.max(this.#broughtDown, flight);
    };
  }
}
