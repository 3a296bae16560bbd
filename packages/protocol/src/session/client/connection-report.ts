/** What the application is told of the connection: where it stands, what was tried, how much went over it. Nothing is decided here. */
import type { ClosingCode } from '../../errors.ts';
import type { Transport } from '../../wire/frames.ts';
import type { Identity } from './identity.ts';
import type { Path } from './path.ts';
import type { Attempt, ClientApp, ConnectionState } from './ports.ts';
import type { Recovery } from './recovery.ts';

/** An attempt that has ended; `reason` is empty where it succeeded. */
export interface Tried {
  readonly transport: Transport;
  readonly step: Attempt['step'];
  /** When it began, or when the link was adopted. */
  readonly at: number;
  readonly reason: string;
}

export interface ReportedParts {
  readonly identity: Identity;
  readonly path: Path;
  readonly recovery: Recovery;
}

export class ConnectionReport {
  /** Counted frames sent and taken, resumed attaches and attaches sent, since the start. Raised by whoever does it. */
  readonly counts: { framesUp: number; framesDown: number; resumes: number; attaches: number } = {
    framesUp: 0,
    framesDown: 0,
    resumes: 0,
    attaches: 0,
  };
  readonly #app: ClientApp;
  readonly #parts: ReportedParts;
  /** What the application was told last: `idle` until the first `update`, and `closed` for good after `close`. */
  #state: ConnectionState = { status: 'idle' };
  /** Whether the link adopted last resumed; set by `adopted`. */
  #resumed = false;

  constructor(app: ClientApp, parts: ReportedParts) {
    this.#app = app;
    this.#parts = parts;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  adopted(fresh: boolean): void {
    this.#resumed = !fresh;
    if (!fresh) this.counts.resumes += 1;
  }

  tried({ transport, step, at, reason }: Tried, now: number): void {
    this.#app.attempt({ at, transport, step, outcome: reason === '' ? 'ok' : 'failed', tookMs: now - at, reason });
  }

  /** Tells where the session stands, if that is news. */
  update(now: number): void {
    const { path, identity, recovery } = this.#parts;
    const { transport } = path;
    const { code, reason, retryAt } = recovery;
    const attempt = recovery.failures + 1;
    const old = this.#state;
    if (transport !== null) {
      const since = old.status === 'open' && old.transport === transport ? old.since : now;
      this.#tell({ status: 'open', transport, since, resumed: this.#resumed });
    } else if (identity.sid === null) this.#tell({ status: 'connecting', attempt });
    else this.#tell({ status: 'reconnecting', willReconnect: true, code, reason, attempt, retryAt });
  }

  /** The session is over. */
  close(code: ClosingCode, reason: string): void {
    this.#tell({ status: 'closed', willReconnect: false, code, reason });
  }

  #tell(state: ConnectionState): void {
    const old = this.#state;
    this.#state = state;
    if (JSON.stringify(old) !== JSON.stringify(state)) this.#app.state(state);
  }
}
