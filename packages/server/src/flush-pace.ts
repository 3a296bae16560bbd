/**
 * When to write what was enqueued: at the end of the same turn, unless turn follows on turn without a rest. Then several turns share one write per socket.
 *
 * What saturates a server that sends to many is one kernel write per socket and turn. Where the event loop has not waited for anything since the last turn
 * that sent something, the next one is not far, and its messages may as well go with these: what is enqueued is held until a turn brings nothing more, or for
 * `HOLD_MS`. A loop that has waited in between has time to spare, and then nothing is held at all.
 */

/** For how long something may be held, ms. Turns that would take longer are not waited for. */
const HOLD_MS = 2;

/** The end of a turn. */
export interface TurnEnd {
  /** ms */
  readonly now: number;
  /** How long the event loop has waited for something to do, in all, ms; NaN: nobody knows. */
  readonly waitedMs: number;
  /** Whether this turn has enqueued anything. */
  readonly isFresh: boolean;
}

export class FlushPace {
  /** As the last turn that ended here had it. */
  #waitedMs = Number.NaN;
  /** When the last such turn was over, its writes included. */
  #endedAt = Number.NEGATIVE_INFINITY;
  /** When something was first held; null while nothing is. */
  #heldAt: number | null = null;

  /** Whether what is enqueued waits for the end of the next turn. Else it is to be written, and `handleFlushed` called. */
  holds({ now, waitedMs, isFresh }: TurnEnd): boolean {
    const isRestless = waitedMs === this.#waitedMs;
    const heldAt = this.#heldAt ?? now;
    // The next turn is taken to be as long as this one.
    const wouldBeHeldMs = now - heldAt + (now - this.#endedAt);
    const holds = isRestless && isFresh && wouldBeHeldMs <= HOLD_MS;
    this.#waitedMs = waitedMs;
    this.#endedAt = now;
    this.#heldAt = holds ? heldAt : null;
    return holds;
  }

  /** Everything was written. */
  handleFlushed(now: number): void {
    this.#endedAt = now;
  }
}
