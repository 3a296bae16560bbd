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
import type { Incarnation } from './incarnation.ts';
import type { RoundTrip } from './liveness.ts';

/** What a poll that was cut teaches: the next ones are held for this part of the time it lasted, but at least the minimum. */
const HOLD_PART = 0.6;
const HOLD_MIN_MS = 300;
/** One that lasted less teaches nothing: the path is broken. */
const LASTED_MS = 1_000;

/** While connections are scarce a poll is held this long at most… */
const SCARCE_HOLD_MS = 250;
/** …and one that has brought nothing is followed by a pause that lasts this many times as long, unless something has just gone up. */
const PAUSE_PART = 4;
/** The server takes a client that does not ask for 5 s for one that is out of reach. */
const PAUSE_MAX_MS = 4_000;
/** The end of the answer to an attach is not waited for longer than this, so that its connection can be used again. */
const ENDING_MS = 10;
/** How long the answer to what went up is waited for without pauses. */
const STIRRED_MS = 5_000;

export interface PollerParts {
  readonly carriers: CarrierSet;
  readonly roundTrip: RoundTrip;
  readonly identity: Identity;
  readonly incarnation: Incarnation;
}

export class Poller {
  readonly #parts: PollerParts;
  /** The poll under way; null between two, and while polls do not carry the session. */
  #poll: Poll | null = null;
  /** Number of the last poll of this generation; 0 again by `begin`. */
  #n = 0;
  /** Learned bound on how long a poll is held; null: none. Forgotten by `forgetHold`. */
  #holdMs: number | null = null;
  /** Whether the server has refused a poll of this generation: another would fare no better. Cleared by `begin`. */
  #refused = false;
  /** Whether no connection may be held open; see `setScarce`. */
  #scarce = false;
  /** Lines of the answer to the poll under way; an empty one has two. */
  #lines = 0;
  /** Until when the attach that opened this generation may be ending. */
  #endingUntil = 0;
  /** When something last went up, or the generation began. */
  #stirredAt = 0;
  /** When the next poll may be asked. */
  #dueAt = 0;

  constructor(parts: PollerParts) {
    this.#parts = parts;
  }

  has(carrier: Carrier): carrier is Poll {
    return carrier === this.#poll;
  }
  /** When the poll under way is overdue. */
  get deadline(): number {
    return this.#poll?.deadline ?? Number.POSITIVE_INFINITY;
  }
  /** When the next poll is to be asked; Infinity while one is under way, or would be refused. */
  get dueAt(): number {
    return this.#poll === null && !this.#refused ? this.#dueAt : Number.POSITIVE_INFINITY;
  }

  /** When a POST need not wait any more for a connection that is free in a moment: otherwise it would open another, which takes a round trip. */
  get postAt(): number {
    return this.#poll?.n === 0 ? this.#endingUntil : 0;
  }

  /** PROTOCOL §7.9: how long a poll may be held has changed, for the one under way too. */
  setScarce(scarce: boolean): void {
    this.#scarce = scarce;
    this.#dueAt = 0;
    this.end();
  }

  /** Something goes up: what answers it must not wait for a pause to end. */
  stir(now: number): void {
    this.#stirredAt = now;
    this.#dueAt = 0;
  }

  /** A new generation, opened by `attach` where that was a poll. */
  begin(attach: Poll | null, now: number): void {
    if (this.#poll !== attach) this.end();
    this.#poll = attach;
    this.#n = 0;
    this.#refused = false;
    this.stir(now);
    this.#endingUntil = now + ENDING_MS;
    if (attach !== null) attach.deadline = now + this.#parts.roundTrip.patience();
  }

  /** Gives up the poll under way. */
  end(): void {
    this.#parts.carriers.drop(this.#poll);
    this.#poll = null;
  }

  ask(now: number): void {
    const { carriers, identity, incarnation, roundTrip } = this.#parts;
    this.#n += 1;
    const longest = identity.limits?.holdMs ?? DEFAULT_LIMITS.holdMs;
    const hold = Math.floor(Math.min(this.#holdMs ?? longest, this.#scarce ? SCARCE_HOLD_MS : longest));
    this.#lines = 0;
    const header = { ...identity.header(), n: this.#n, rx: incarnation.tellRx(), hold };
    const deadline = now + hold + roundTrip.patience();
    this.#poll = carriers.request<Poll>(
      { kind: 'poll', sid: null, next: 0, gen: header.gen, n: this.#n, hold, deadline, ended: false },
      [encodeFrame([Type.poll, header])],
      now,
    );
  }

  /** Something of its answer has come: it may take a while. */
  heard(now: number): void {
    this.#lines += 1;
    if (this.#poll !== null)
      this.#poll.deadline = Math.max(this.#poll.deadline, now + this.#parts.roundTrip.patience());
  }

  /** The header of an answer. False: it answers another poll (a cache has spoken). */
  handleAnswer(poll: Poll, answer: PollAnswer, sid: string | null): boolean {
    if (answer.gen !== poll.gen || answer.n !== poll.n || answer.sid !== sid) return false;
    poll.sid = sid;
    poll.next = answer.base;
    return true;
  }

  /** It has ended whole, and is followed by the next. */
  handleEnd(carrier: Carrier, now: number): void {
    if (carrier !== this.#poll) return;
    this.#poll = null;
    if (this.#scarce && this.#lines <= 2 && now >= this.#stirredAt + STIRRED_MS)
      this.#dueAt = now + Math.min(PAUSE_PART * (now - carrier.openedAt), PAUSE_MAX_MS);
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
