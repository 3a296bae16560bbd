/** What a client can tell of its connection. */
import type { Attempt, ConnectionState, Transport } from '@runnel/protocol';
import type { Sharing } from './share/tab-session.ts';

/** What the client knows about its connection. Times are in ms, points in time since 1970. */
export interface Diagnosis {
  /** When this was asked. */
  readonly at: number;
  readonly state: ConnectionState;
  /** What carries the session now; null: nothing does. */
  readonly transport: Transport | null;
  /** What `use` asked for last. */
  readonly choice: Transport | 'auto';
  /** What the options allow. */
  readonly transports: readonly Transport[];
  /** Smoothed; null before it was measured. */
  readonly roundTripMs: number | null;
  /** Our public name, as others see it in `meta.by`; null before there is a session. */
  readonly client: string | null;
  /** Where it stands among the tabs that share its session; null: it has one of its own. */
  readonly sharing: Sharing | null;
  /** Counted frames up and down since the client connected, how often the session was resumed, and attaches sent. */
  readonly counts: Readonly<Record<'framesUp' | 'framesDown' | 'resumes' | 'attaches', number>>;
  /** What was tried, oldest first; the last 100. */
  readonly attempts: readonly Attempt[];
}

const ATTEMPTS_MAX = 100;

export class AttemptLog {
  readonly #attempts: Attempt[] = [];

  note(attempt: Attempt): void {
    this.#attempts.push(attempt);
    if (this.#attempts.length > ATTEMPTS_MAX) this.#attempts.shift();
  }

  list(): readonly Attempt[] {
    return [...this.#attempts];
  }
}
