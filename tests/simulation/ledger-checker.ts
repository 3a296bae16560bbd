/**
 * The invariants of the session, checked after every event. Names follow the list in docs/ARCHITECTURE.md; a violation throws with the number of
 * the invariant, what was seen, and what should have been.
 */
import type { Identity, Line, ServerSession } from '@runnel/protocol';

export class Violation extends Error {
  readonly invariant: number;
  constructor(invariant: number, message: string) {
    super(`invariant ${invariant}: ${message}`);
    this.invariant = invariant;
  }
}

export function check(condition: boolean, invariant: number, message: () => string): void {
  if (!condition) throw new Violation(invariant, message());
}

/** What was sent and what was taken in one direction of one incarnation. */
class Track {
  readonly sent: number[] = [];
  taken = 0;

  take(id: number, where: string): void {
    const due = this.sent[this.taken];
    check(id === due, 1, () => `${where} took ${id} where ${due} was due (${this.taken} of ${this.sent.length})`);
    this.taken += 1;
  }

  get complete(): boolean {
    return this.taken === this.sent.length;
  }
}

export class LedgerChecker {
  readonly #up = new Map<string, Track>();
  readonly #down = new Map<string, Track>();
  /** Highest `rx` and `gen` seen of each server session. */
  readonly #rx = new Map<string, number>();
  readonly #gen = new Map<string, number>();
  /** Incarnations that ended for a reason that the schedule can account for. */
  readonly #over = new Set<string>();
  readonly #volatiles = new Set<string>();

  up(sid: string): Track {
    return track(this.#up, sid);
  }
  down(sid: string): Track {
    return track(this.#down, sid);
  }

  /** The server has ended `sid`, or forgot everything. */
  over(sid: string): void {
    this.#over.add(sid);
  }

  /** Invariant 3: an incarnation is lost to the client only after the server has lost it. */
  lost(sid: string): void {
    check(this.#over.has(sid), 3, () => `the client was told that ${sid} is over, and nothing had ended it`);
  }

  /** Invariant 9 */
  volatile(id: number, end: string): void {
    const key = `${end}${id}`;
    check(!this.#volatiles.has(key), 9, () => `volatile frame ${id} came to the ${end} twice`);
    this.#volatiles.add(key);
  }

  /** Invariants 2, 4, 5 for the client's incarnation and all of the server's. */
  state(
    client: { readonly sid: string | null; readonly ledger: { rx: number; acked: number; tx: number; ob: number } },
    sessions: Iterable<ServerSession<Line, Identity>>,
  ): void {
    for (const session of sessions) {
      const { sid, gen, ledger } = session;
      const rx = this.#rx.get(sid) ?? 0;
      check(ledger.rx >= rx, 2, () => `rx of ${sid} fell from ${rx} to ${ledger.rx}`);
      this.#rx.set(sid, ledger.rx);
      const before = this.#gen.get(sid) ?? 0;
      check(gen >= before, 5, () => `gen of ${sid} fell from ${before} to ${gen}`);
      this.#gen.set(sid, gen);
      check(session.link === null || session.link.session === session, 4, () => `${sid} has a link of another session`);
      check(ledger.ob >= ledger.acked, 2, () => `ob ${ledger.ob} below acked ${ledger.acked}`);
      if (sid !== client.sid) continue;
      const mine = client.ledger;
      check(mine.acked <= ledger.rx && ledger.rx <= mine.tx, 2, () => `up: ${mine.acked} ≤ ${ledger.rx} ≤ ${mine.tx}`);
      check(ledger.acked <= mine.rx && mine.rx <= ledger.tx, 2, () => `down: ${ledger.acked} ≤ ${mine.rx} ≤ ${ledger.tx}`);
    }
  }
}

function track(tracks: Map<string, Track>, sid: string): Track {
  let found = tracks.get(sid);
  if (found === undefined) {
    found = new Track();
    tracks.set(sid, found);
  }
  return found;
}
