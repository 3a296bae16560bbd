/** Invariants 1–5, 9 and 13, from what the applications at both ends are handed and from the counters of both ends. */
import type { Identity, Ledger, Line, ServerSession } from '@runnel/protocol';
import type { Coverage } from './coverage.ts';
import { check, Violation } from './violation.ts';

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

/** What is known of one incarnation. */
export class Life {
  readonly up = new Track();
  readonly down = new Track();
  readonly bornAt: number;
  rx = 0;
  gen = 0;
  /** When it was last seen to be carried. */
  carriedAt: number;
  /** Why it may end, or has ended: what the schedule did to it. */
  readonly causes = new Set<string>();
  over = false;

  constructor(now: number) {
    this.bornAt = now;
    this.carriedAt = now;
  }
}

export interface LifeLimits {
  readonly ttlMs: number;
  readonly provisionalMs: number;
}

/** How much later than its deadline something may be seen to be done. */
const GRACE_MS = 5;

type Session = ServerSession<Line, Identity>;

export class LedgerChecker {
  readonly #lives = new Map<string, Life>();
  readonly #volatiles = new Set<string>();
  readonly #limits: LifeLimits;
  readonly #coverage: Coverage;

  constructor(limits: LifeLimits, coverage: Coverage) {
    this.#limits = limits;
    this.#coverage = coverage;
  }

  /** Every incarnation that there ever was. */
  get sids(): Iterable<string> {
    return this.#lives.keys();
  }

  life(sid: string): Life {
    const life = this.#lives.get(sid);
    if (life === undefined) throw new Error(`nobody has seen ${sid} begin`);
    return life;
  }

  born(sid: string, now: number): void {
    this.#lives.set(sid, new Life(now));
  }

  /** Something carries `sid`, which may be before it is `born`. */
  carried(sid: string, now: number): void {
    const life = this.#lives.get(sid);
    if (life !== undefined) life.carriedAt = now;
  }

  /** The schedule does something to `sid` that may end it, or lets its client turn away from it. */
  excuse(sid: string | null, cause: string): void {
    if (sid !== null) this.#lives.get(sid)?.causes.add(cause);
  }

  /** Invariant 3: the server ends a session only for a reason that the schedule gave it. */
  ended(session: Session, code: string, now: number): void {
    const { sid } = session;
    const life = this.life(sid);
    life.over = true;
    if (code !== 'session_lost')
      return check(life.causes.has(code), 3, () => `${sid} was ended with ${code}, for nothing`);
    const { ttlMs, provisionalMs } = this.#limits;
    if (!session.confirmed && now >= life.bornAt + provisionalMs - GRACE_MS)
      return this.#coverage.saw('provisional end');
    const idle = now - life.carriedAt;
    if (idle >= ttlMs - GRACE_MS) return this.#coverage.saw('expiry');
    check(life.causes.has('overflow'), 3, () => `${sid} was given up after ${idle} ms without a carrier, of ${ttlMs}`);
  }

  /** Invariant 3: an incarnation is lost to the client only after the server has lost it, or something was done to it. */
  lost(sid: string): void {
    const { over, causes } = this.life(sid);
    check(over || causes.size > 0, 3, () => `the client was told that ${sid} is over, and nothing had ended it`);
  }

  /** Invariant 9 */
  volatile(id: number, end: string): void {
    const key = `${id} ${end}`;
    check(!this.#volatiles.has(key), 9, () => `volatile frame ${id} came to ${end} twice`);
    this.#volatiles.add(key);
  }

  /** Invariants 2, 4, 5 and 13 for one session of the server. */
  session(session: Session, now: number): void {
    const { sid, gen, ledger, link } = session;
    const life = this.life(sid);
    const { rx, acked, ob } = ledger;
    if (rx < life.rx) throw new Violation(2, `rx of ${sid} fell from ${life.rx} to ${rx}`);
    if (gen < life.gen) throw new Violation(5, `gen of ${sid} fell from ${life.gen} to ${gen}`);
    if (ob < acked) throw new Violation(2, `ob ${ob} below acked ${acked}`);
    if (link !== null && link.session !== session) throw new Violation(4, `${sid} has a link of another session`);
    life.rx = rx;
    life.gen = gen;
    if (session.reachable) life.carriedAt = now;
    if (!session.confirmed && now > life.bornAt + this.#limits.provisionalMs + GRACE_MS) {
      throw new Violation(13, `${sid} of ${life.bornAt} is provisional at ${now}`);
    }
  }

  /** Invariant 2 between the two ends of one incarnation. */
  ends(mine: Ledger<Line>, { ledger }: Session): void {
    const { rx, acked, tx } = ledger;
    if (mine.acked > rx || rx > mine.tx) throw new Violation(2, `up: ${mine.acked} ≤ ${rx} ≤ ${mine.tx}`);
    if (acked > mine.rx || mine.rx > tx) throw new Violation(2, `down: ${acked} ≤ ${mine.rx} ≤ ${tx}`);
  }
}
