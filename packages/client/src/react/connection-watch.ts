/** The connection as an app shows it: what is over in a moment is not called lost. */
import type { ClosingCode, Code, ConnectionState, Transport } from '@runnel/protocol';

/** What is said of a connection beside its status. */
interface ConnectionParts {
  /** What carries it; null while it is not `open`. */
  readonly transport: Transport | null;
  /** Whether the client connects again by itself; false where it is `idle` or `closed`. */
  readonly willReconnect: boolean;
  /** Why it is not open any more; null before it was, and while it is. */
  readonly code: Code | null;
  /** The same for people. */
  readonly reason: string | null;
  /** When the next attempt is made, ms since 1970; at or before now: one is under way. Null while it is not `reconnecting` or `lost`. */
  readonly retryAt: number | null;
}

/**
 * Where the connection stands. `idle`: nobody has asked it to connect · `connecting`: for the first time · `open` · `reconnecting`: it was open · `lost`: it
 * has been reconnecting for a while · `closed`: it has ended, and is not sought again.
 */
export type Connection = ConnectionParts &
  (
    | { readonly status: 'idle' | 'connecting' }
    | { readonly status: 'open'; readonly transport: Transport }
    | {
        readonly status: 'reconnecting' | 'lost';
        readonly code: Code;
        readonly reason: string;
        readonly retryAt: number;
      }
    | { readonly status: 'closed'; readonly code: ClosingCode; readonly reason: string }
  );

/** What is watched; a client is one. */
export interface Watched {
  readonly state: ConnectionState;
  onState(handler: (state: ConnectionState) => void): () => void;
}

/** The longest time that `setTimeout` takes. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Where no connection is made: on a server, and before a page is hydrated. */
export const UNCONNECTED: Connection = view({ status: 'idle' }, false);

export class ConnectionWatch {
  readonly #client: Watched;
  readonly #lostAfterMs: number;
  #connection: Connection = UNCONNECTED;
  /** Runs while it reconnects and is not lost yet. */
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Whether the timer has gone off since the connection was open. */
  #isLost = false;

  constructor(client: Watched, lostAfterMs: number) {
    if (!(lostAfterMs >= 0)) throw new RangeError(`lostAfterMs is ${lostAfterMs}; it must be 0 or more.`);
    this.#client = client;
    this.#lostAfterMs = lostAfterMs;
  }

  /** A property, as `subscribe` is, so that it can be handed to React as it is. */
  readonly get = (): Connection => {
    const seen = view(this.#client.state, this.#isLost);
    if (!isEqual(seen, this.#connection)) this.#connection = seen;
    return this.#connection;
  };

  readonly subscribe = (notify: () => void): (() => void) => {
    const look = (): void => {
      if (this.#client.state.status !== 'reconnecting') this.#reset();
      else if (!this.#isLost) this.#timer ??= setTimeout(lose, Math.min(this.#lostAfterMs, TIMER_MS_MAX));
      notify();
    };
    const lose = (): void => {
      this.#timer = null;
      this.#isLost = true;
      notify();
    };
    look();
    const off = this.#client.onState(look);
    return () => {
      off();
      this.#reset();
    };
  };

  #reset(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isLost = false;
  }
}

function view(state: ConnectionState, isLost: boolean): Connection {
  const { status } = state;
  const connection: ConnectionParts & { readonly status: Connection['status'] } = {
    status: isLost && status === 'reconnecting' ? 'lost' : status,
    transport: status === 'open' ? state.transport : null,
    willReconnect: status !== 'idle' && status !== 'closed',
    code: 'code' in state ? state.code : null,
    reason: 'reason' in state ? state.reason : null,
    retryAt: 'retryAt' in state ? state.retryAt : null,
  };
  return connection as Connection;
}

function isEqual(a: Connection, b: Connection): boolean {
  return (Object.keys(a) as (keyof Connection)[]).every((key) => a[key] === b[key]);
}
