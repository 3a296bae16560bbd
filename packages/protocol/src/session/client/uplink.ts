/**
 * What goes up by POST while a stream or polls carry the session (PROTOCOL §6.2): one POST in flight, starting at the first frame that is not
 * acknowledged; the same again when it was not answered.
 */
import { DEFAULT_LIMITS } from '../../limits.ts';
import { Type } from '../../wire/frames.ts';
import { encodeFrame } from '../../wire/write.ts';
import type { Line } from '../ledger.ts';
import { VolatileLines } from '../volatile-lines.ts';
import type { CarrierSet } from './carrier-set.ts';
import type { Post } from './carriers.ts';
import type { Identity } from './identity.ts';
import { type Incarnation, sizeOf } from './incarnation.ts';
import type { RoundTrip } from './liveness.ts';

/** A POST that failed is no reason to send less than this at a time. */
const BATCH_BYTES_MIN = 1_024;
/** POSTs are not kept smaller than this for good because larger ones have failed. */
const BOUND_BYTES_MIN = 8_192;

export interface UplinkParts {
  readonly carriers: CarrierSet;
  readonly roundTrip: RoundTrip;
  readonly identity: Identity;
  readonly incarnation: Incarnation;
}

export class Uplink {
  readonly #parts: UplinkParts;
  /** The POST in flight; cleared by its answer or its failure, and by `reset`. */
  #post: Post | null = null;
  /** Number of the last POST of this generation; 0 again by `begin`. */
  #n = 0;
  /** Whether POSTs tell our `rx`: polls do that themselves. Set by `begin`, true again by `reset`. */
  #tellsRx = true;
  /** A ping or the goodbye for the next POST: unlike volatile frames it must not be dropped for what follows it. At most one of each. */
  #words: Line[] = [];
  /** Volatile frames for the next POST. Neither these nor words are sent twice. */
  readonly #loose = new VolatileLines();
  /** Whether our `rx` should be told though there is nothing else to say; cleared with each POST. */
  #ackDue = false;
  /** Whether the last POST was not answered and its frames go up again; cleared when they do. */
  #repeating = false;
  /** Bytes one POST may carry: half of one that failed, so that a slow path makes progress, and twice as much after each that was answered… */
  #batchBytes = DEFAULT_LIMITS.batchBytes;
  /** …up to this, for somebody on the path may take no more. Set by a POST that was refused for its size or was the second to fail so, raised by `forget`. */
  #boundBytes = DEFAULT_LIMITS.batchBytes;
  /** Bytes of the last POST that failed, while none so large was answered since: it may have been too large, or its connection was dead. */
  #failedBytes = Number.POSITIVE_INFINITY;

  constructor(parts: UplinkParts) {
    this.#parts = parts;
  }

  /** What was learned of the path may not hold any more. */
  forget(): void {
    this.#boundBytes = DEFAULT_LIMITS.batchBytes;
    this.#failedBytes = Number.POSITIVE_INFINITY;
  }

  /** A new generation. */
  begin(tellsRx: boolean): void {
    this.reset();
    this.#n = 0;
    this.#tellsRx = tellsRx;
  }

  /** The POST in flight is abandoned, and what was loose with it. The goodbye may follow in the same generation, and must not look like a repetition. */
  reset(): void {
    this.#parts.carriers.drop(this.#post);
    this.#post = null;
    this.#repeating = false;
    this.#tellsRx = true;
    this.#clear();
  }

  #clear(): void {
    this.#ackDue = false;
    this.#words = [];
    this.#loose.take();
  }

  sendLoose(line: Line): void {
    this.#loose.push(line);
  }

  /** Whether a POST is in flight: what is said now waits for its answer. */
  get busy(): boolean {
    return this.#post !== null;
  }

  say(word: Line): void {
    this.#words.push(word);
  }

  acknowledge(): void {
    this.#ackDue = true;
  }

  /** Sends a POST if there is something to send and none is in flight. Returns the bytes sent. */
  steer(now: number): number {
    const { ledger } = this.#parts.incarnation;
    if (
      this.#post !== null ||
      (ledger.tx === ledger.ob && this.#loose.bytes === 0 && this.#words.length === 0 && !this.#ackDue)
    )
      return 0;
    return this.#send(now);
  }

  /** The last words of a session that is being closed: everything that fits, and the goodbye. */
  finish(goaway: Line, now: number): Post | null {
    this.#parts.carriers.drop(this.#post);
    this.say(goaway);
    this.#send(now);
    return this.#post;
  }

  #send(now: number): number {
    const { carriers, identity, incarnation, roundTrip } = this.#parts;
    const { ledger } = incarnation;
    const base = ledger.ob;
    const counted = ledger.slice(base, this.#batchBytes);
    this.#n += 1;
    const header = { ...identity.header(), n: this.#n, base };
    const repeated = this.#repeating;
    if (repeated) this.#loose.take();
    const bytes = sizeOf(counted) + this.#loose.bytes;
    const lines = [...counted, ...this.#words, ...this.#loose.take()].map((line) => line.text);
    lines.unshift(encodeFrame([Type.post, this.#tellsRx ? { ...header, rx: ledger.rx } : header]));
    this.#clear();
    this.#repeating = false;
    const deadline = now + roundTrip.patience(bytes);
    this.#post = carriers.request<Post>(
      { kind: 'post', gen: header.gen, base, bytes, single: counted.length === 1, deadline, answered: false, repeated },
      lines,
      now,
    );
    return bytes;
  }

  /** Its answer was read. */
  handleAnswer(post: Post, now: number): void {
    post.answered = true;
    if (post !== this.#post) return;
    this.#post = null;
    this.#parts.roundTrip.sample(now - post.openedAt);
    if (post.bytes >= this.#failedBytes) this.#failedBytes = Number.POSITIVE_INFINITY;
    this.#batchBytes = Math.min(this.#boundBytes, this.#batchBytes * 2);
  }

  /** It ended without an answer. True: as many of its frames go up again as are half of it; false: that was the second time. `tooLarge`: it was said why. */
  handleFailure(post: Post, tooLarge = false): boolean {
    this.#parts.carriers.drop(post);
    if (post !== this.#post) return true;
    this.#post = null;
    this.#ackDue = true;
    this.#repeating = true;
    const half = Math.max(BATCH_BYTES_MIN, Math.floor(post.bytes / 2));
    this.#batchBytes = Math.min(this.#batchBytes, half);
    if (tooLarge || this.#failedBytes !== Number.POSITIVE_INFINITY)
      this.#boundBytes = Math.max(BOUND_BYTES_MIN, Math.min(this.#boundBytes, half));
    this.#failedBytes = Math.min(this.#failedBytes, post.bytes);
    return !post.repeated;
  }

  /** Gives up a POST that is overdue. True: that was the second time. */
  giveUpOverdue(now: number): boolean {
    const post = this.#post;
    if (post === null || now < post.deadline) return false;
    return !this.handleFailure(post);
  }

  /** The network may be another: the POST in flight has to be answered soon. */
  hasten(now: number): void {
    if (this.#post !== null) this.#post.deadline = Math.min(this.#post.deadline, now + this.#parts.roundTrip.hastyMs());
  }

  nextTimeout(): number {
    return this.#post?.deadline ?? Number.POSITIVE_INFINITY;
  }
}
