/**
 * The numbered polls of one generation (PROTOCOL §6.3): one under way at a time, each as long as the path has been seen to bear. The attach by poll that
 * opened the generation is number 0.
 */
import { DEFAULT_LIMITS } from '../../limits.ts';
import { type PollAnswer, Type } from '../../wire/frames.ts';
import { encodeFrame } from '../../wire/write.ts';
import type { CarrierSet } from './carrier-set.ts';
import type { Carrier, Poll } from './carriers.ts';
import type { Identity } from './identity.ts';
import type { RoundTrip } from './liveness.ts';

/** What a poll that was cut teaches: the next ones are held for this part of the time it lasted, but at least the minimum. */
const HOLD_PART = 0.6;
const HOLD_MIN_MS = 300;
/** One that lasted less teaches nothing: the path is broken. */
const LASTED_MS = 1_000;

export class Poller {
  readonly #carriers: CarrierSet;
  readonly #roundTrip: RoundTrip;
  /** The poll under way; null between two, and while polls do not carry the session. */
  #poll: Poll | null = null;
  /** Number of the last poll of this generation; 0 again by `begin`. */
  #n = 0;
  /** Learned bound on how long a poll is held; null: none. Forgotten by `forgetHold`. */
  #holdMs: number | null = null;
  /** Whether the server has refused a poll of this generation: another would fare no better. Cleared by `begin`. */
  #refused = false;

  constructor(carriers: CarrierSet, roundTrip: RoundTrip) {
    this.#carriers = carriers;
    this.#roundTrip = roundTrip;
  }

  has(carrier: Carrier): carrier is Poll {
    return carrier === this.#poll;
  }
  /** When the poll under way is overdue. */
  get deadline(): number {
    return this.#poll?.deadline ?? Number.POSITIVE_INFINITY;
  }
  get idle(): boolean {
    return this.#poll === null && !this.#refused;
  }

  /** A new generation, opened by `attach` where that was a poll. */
  begin(attach: Poll | null, now: number): void {
    if (this.#poll !== attach) this.end('superseded');
    this.#poll = attach;
    this.#n = 0;
    this.#refused = false;
    if (attach !== null) attach.deadline = now + this.#roundTrip.patience();
  }

  /** Gives up the poll under way. */
  end(reason: string): void {
    this.#carriers.drop(this.#poll, reason);
    this.#poll = null;
  }

  ask(identity: Identity, rx: number, now: number): void {
    this.#n += 1;
    const longest = (identity.limits ?? DEFAULT_LIMITS).holdMs;
    const hold = Math.floor(Math.min(this.#holdMs ?? longest, longest));
    const header = { ...identity.header(), n: this.#n, rx, hold };
    const deadline = now + hold + this.#roundTrip.patience();
    this.#poll = this.#carriers.request<Poll>(
      { kind: 'poll', sid: null, next: 0, gen: header.gen, n: this.#n, hold, deadline, ended: false },
      [encodeFrame([Type.poll, header])],
      now,
    );
  }

  /** Something of its answer has come: it may take a while. */
  heard(now: number): void {
    if (this.#poll !== null) this.#poll.deadline = Math.max(this.#poll.deadline, now + this.#roundTrip.patience());
  }

  /** The header of an answer. False: it answers another poll (a cache has spoken). */
  handleAnswer(poll: Poll, answer: PollAnswer, sid: string | null): boolean {
    if (answer.gen !== poll.gen || answer.n !== poll.n || answer.sid !== sid) return false;
    poll.sid = sid;
    poll.next = answer.base;
    return true;
  }

  /** It has ended whole, and is followed by the next. */
  handleEnd(carrier: Carrier): void {
    if (carrier === this.#poll) this.#poll = null;
  }

  /** The server will not serve this generation's polls. */
  handleRefusal(poll: Poll): void {
    poll.ended = true;
    this.#poll = null;
    this.#refused = true;
  }

  /** It was cut. True: it had lasted a while, which teaches how long the path lets one be held, and the next one follows. */
  handleCut(poll: Poll, now: number): boolean {
    this.#poll = null;
    const lasted = now - poll.openedAt;
    if (lasted < LASTED_MS || lasted >= poll.hold) return false;
    this.#holdMs = Math.max(HOLD_MIN_MS, lasted * HOLD_PART);
    return true;
  }

  /** The network may be another. */
  forgetHold(): void {
    this.#holdMs = null;
  }
}
