/**
 * How a session is carried by held requests (PROTOCOL §6.3): one poll at a time, its copies beside it, each numbered within the generation. The attach by
 * poll that opened the generation is number 0, and its POSTs have numbers of their own. What is held, and until when, is known here; what a session says is
 * its own affair.
 */
import { type PollHeader, Type } from '../../wire/frames.ts';
import type { Line } from '../ledger.ts';
import { HeldPoll } from './held-poll.ts';
import type { Answer, Identity } from './ports.ts';
import type { ServerSession } from './server-session.ts';
import type { SessionRegistry } from './session-registry.ts';

export class PollSide<L extends Line, I extends Identity> {
  readonly #registry: SessionRegistry<L, I>;
  readonly #session: ServerSession<L, I>;
  /** The request that waits for something to say; null between polls and while a link carries the session. */
  #held: HeldPoll<L> | null = null;
  /** Highest poll number of this generation; 0 again with each attach. */
  #n = 0;
  /** Likewise of POSTs. */
  #postN = 0;
  /** Null until it is asked for. */
  #key: string | null = null;

  constructor(registry: SessionRegistry<L, I>, session: ServerSession<L, I>) {
    this.#registry = registry;
    this.#session = session;
  }

  /** The session's resume key, as this node issues it. */
  get key(): string {
    this.#key ??= this.#registry.options.issueKey(this.#session.sid);
    return this.#key;
  }

  get isHeld(): boolean {
    return this.#held !== null;
  }
  /** When what is held is answered even if there is nothing to say; Infinity where nothing is. */
  get until(): number {
    return this.#held?.until ?? Number.POSITIVE_INFINITY;
  }

  /** Another generation begins: what is held ends empty, at once (PROTOCOL §8.3). */
  supersede(now: number): void {
    this.#endEmpty(now);
    this.#n = 0;
    this.#postN = 0;
  }

  /** Whether a POST numbered `n` is new in this generation: what it carries uncounted is heard once only. */
  isNewPost(n: number, now: number): boolean {
    this.#session.handleRequested(now);
    if (n <= this.#postN) return false;
    this.#postN = n;
    return true;
  }

  /** Holds an attach by poll until it may be answered, or answers at once. `settling`: wait for its subscriptions, `ms` at most. */
  holdAttach(
    answer: Answer<L>,
    { rx, ms, settling }: { rx: number; ms: number; settling: boolean },
    now: number,
  ): void {
    this.#hold(new HeldPoll({ n: 0, rx, until: now + ms, settling, answer }), now);
  }

  /** The same attach by poll again: PROTOCOL §8.2. */
  repeatAttach(answer: Answer<L>, base: number): void {
    if (this.#held?.n === 0 && this.#held.join(answer)) return;
    const counted = this.#session.ledger.slice(base, this.#registry.limits.batchBytes);
    answer.end([this.#registry.welcome(this.#session, base), ...counted, this.#registry.encode([Type.end])]);
  }

  /** A poll of the session's generation. PROTOCOL §6.3; the registry has checked key and generation. */
  poll({ n, rx, hold }: PollHeader, answer: Answer<L>, now: number): void {
    this.#session.handleRequested(now);
    const { ledger, gen, mode } = this.#session;
    if (mode !== 'poll') return answer.end([this.#registry.encode([Type.reattach, gen])]);
    // PROTOCOL §6.3: a lower number is answered empty, the same is held beside the first, a higher one ends the older.
    if (n < this.#n) return answer.end(this.#empty(n));
    if (n === this.#n && this.#held?.n === n && this.#held.rx === rx) {
      if (!this.#held.join(answer)) answer.end(this.#empty(n));
      return;
    }
    this.#endEmpty(now);
    this.#n = n;
    if (rx < ledger.acked) return answer.end(this.#empty(n));
    if (!this.#session.acknowledge(rx, now))
      return answer.end([this.#registry.encode([Type.goaway, 'protocol_error', 'impossible rx', 0, gen])]);
    if (!ledger.covers(rx)) return answer.end([this.#registry.encode([Type.reattach, gen])]);
    const until = now + Math.min(hold, this.#registry.limits.holdMs);
    this.#hold(new HeldPoll({ n, rx, until, settling: false, answer }), now);
  }

  #hold(held: HeldPoll<L>, now: number): void {
    this.#held = held;
    this.#session.handleCarried();
    if (held.until <= now) this.answer(now);
    else this.flush(now);
  }

  /** Answers if there is something to say. */
  flush(now: number): void {
    const held = this.#held;
    if (held !== null && !held.settling && (this.#session.loose !== null || this.#session.ledger.tx > held.rx))
      this.answer(now);
  }

  /** The subscriptions that the attach asked for are answered. */
  settle(now: number): void {
    if (this.#held?.settling) this.answer(now);
  }

  /** The client gave up a request that may be held. */
  handleClosed(answer: Answer<L>, now: number): void {
    if (!this.#held?.leave(answer)) return;
    this.#held = null;
    this.#session.handleLetGo(now);
  }

  answer(now: number): void {
    const held = this.#held;
    if (held === null) return;
    const counted = this.#session.ledger.slice(held.rx, this.#registry.limits.batchBytes);
    this.end(
      [this.#header(held.n, held.rx), ...counted, ...this.#session.takeLoose(), this.#registry.encode([Type.end])],
      now,
    );
  }

  /** The session ends: what it has still to say, and `goaway`. */
  farewell(goaway: L, now: number): void {
    const held = this.#held;
    if (held === null) return;
    const counted = this.#session.ledger.slice(held.rx, this.#registry.limits.batchBytes);
    this.end([this.#header(held.n, held.rx), ...counted, ...this.#session.takeLoose(), goaway], now);
  }

  /** Ends what is held with `lines`. */
  end(lines: readonly L[], now: number): void {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    held.end(lines);
    this.#session.handleLetGo(now);
  }

  #endEmpty(now: number): void {
    if (this.#held !== null) this.end(this.#empty(this.#held.n), now);
  }

  #empty(n: number): L[] {
    return [this.#header(n, this.#session.ledger.acked), this.#registry.encode([Type.end])];
  }

  #header(n: number, base: number): L {
    const session = this.#session;
    if (n === 0) return this.#registry.welcome(session, base);
    return this.#registry.encode([Type.poll, { sid: session.sid, gen: session.gen, n, base, rx: session.tellRx() }]);
  }
}
