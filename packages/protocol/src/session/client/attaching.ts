/**
 * The attach under way, and beside it one that was overtaken and may be only slow: the welcome of either is adopted, whichever comes first (PROTOCOL §7.2). A
 * server that is slow to authenticate is so not outrun, and a request that went down a dead connection holds nobody up.
 */
import { type AttachSub, type Transport, Type } from '../../wire/frames.ts';
import { encodeFrame } from '../../wire/write.ts';
import type { CarrierSet } from './carrier-set.ts';
import type { Carrier, Poll, Socket, Stream } from './carriers.ts';
import type { RoundTrip } from './liveness.ts';
import { attachPatienceMs } from './schedules.ts';

/** An answer that has begun gets this much time from its last sign of life, for it may be long… */
const BEGUN_MS = 8_000;
/** …but a socket that brings everything except the welcome is no way to get one. */
const LONGEST_MS = 30_000;
/** An attach may take this many times as long as the last one. */
const USUAL = 1.5;

export interface PendingAttach {
  readonly gen: number;
  readonly carrier: Socket | Stream | Poll;
  /** Whether it went up before any welcome was adopted. */
  readonly first: boolean;
  /** Later where it began to count anew. */
  sentAt: number;
  /** When it is given up, unless its answer has begun. Nearer once the network may be another. */
  deadline: number;
  /** What it asked to be subscribed to. */
  readonly subs: readonly AttachSub[];
}

export interface AttachOrder {
  readonly gen: number;
  readonly first: boolean;
  readonly mode: Transport;
  /** With mode `websocket` only. */
  readonly socket: Socket | null;
  readonly text: string;
  readonly subs: readonly AttachSub[];
  /** How many attempts have failed: each makes the next more patient. */
  readonly failures: number;
  /** The longest time until another is sent beside a poll, ms. */
  readonly longestMs: number;
}

export class Attaching {
  readonly #carriers: CarrierSet;
  readonly #roundTrip: RoundTrip;
  /** Set by `send`, cleared by `take`. */
  #pending: PendingAttach | null = null;
  /** A poll that was overtaken, or waited for in vain; replaced when it has ended or grown old. */
  #earlier: PendingAttach | null = null;
  /** What the next attach may well take, ms, going by the one that was adopted last: servers differ in how long they take to authenticate. */
  #usualMs = 0;

  constructor(carriers: CarrierSet, roundTrip: RoundTrip) {
    this.#carriers = carriers;
    this.#roundTrip = roundTrip;
  }

  get pending(): PendingAttach | null {
    return this.#pending;
  }

  /** Ends the wait, whatever came of it. */
  take(): PendingAttach | null {
    const pending = this.#pending;
    this.#pending = null;
    return pending;
  }

  isOn(carrier: Carrier): boolean {
    return this.#pending?.carrier === carrier;
  }

  /** The attach whose welcome may come on the carrier. */
  find(carrier: Carrier): PendingAttach | null {
    return this.isOn(carrier) ? this.#pending : this.#earlier?.carrier === carrier ? this.#earlier : null;
  }

  /** Lets go of an attach that is not waited for any more; of one that nothing was heard of, only if an older one is not kept already. */
  leave(attach: PendingAttach, reason: string, now: number): void {
    const kept = this.#earlier;
    const isOld = kept === null || now >= kept.sentAt + BEGUN_MS || this.#carriers.get(kept.carrier.id) === undefined;
    if (attach.carrier.kind !== 'poll' || attach.carrier.heardAt > attach.sentAt || !isOld)
      return this.#carriers.drop(attach.carrier, reason);
    this.leaveEarlier();
    this.#earlier = attach;
  }

  leaveEarlier(): void {
    this.#carriers.drop(this.#earlier?.carrier ?? null);
    this.#earlier = null;
  }

  /** Its welcome was adopted. The server is done with the earlier one before the one under way: that is due soon, whatever its carrier has said. */
  adopted(attach: PendingAttach, now: number): void {
    this.#usualMs = Math.min(BEGUN_MS, USUAL * (now - attach.sentAt));
    if (attach !== this.#pending) {
      this.#earlier = null;
      if (this.#pending === null) return;
      this.#pending.sentAt = now;
      this.#pending.deadline = now + Math.max(this.#roundTrip.patience(), this.#usualMs);
    } else {
      this.#pending = null;
      this.leaveEarlier();
    }
  }

  /** The network may be another: a poll that was not answered yet may have been sent on a dead connection. */
  hasten(): void {
    const pending = this.#pending;
    if (pending?.carrier.kind === 'poll')
      pending.deadline = Math.min(pending.deadline, pending.sentAt + this.#roundTrip.hastyMs());
  }

  send({ gen, first, mode, socket, text, subs, failures, longestMs }: AttachOrder, now: number): void {
    // A poll is not given up when another is sent beside it. Before there is a session a server may take its time to find out who we are.
    const waitMs =
      mode === 'poll' && !first
        ? Math.min(attachPatienceMs(this.#roundTrip.hastyMs(), failures), longestMs)
        : attachPatienceMs(this.#roundTrip.patience(text.length), failures);
    const deadline = now + Math.max(waitMs, this.#usualMs);
    let carrier: Socket | Stream | Poll;
    if (socket !== null) {
      carrier = socket;
      this.#carriers.send(socket, text);
      // A pong comes at once where the server takes its time to find out who we are: then the socket is waited for.
      if (first) this.#carriers.send(socket, encodeFrame([Type.ping, Math.floor(now)]));
    } else if (mode === 'stream') {
      carrier = this.#carriers.request<Stream>({ kind: 'stream', sid: null, next: 0 }, [text], now);
    } else {
      const spec = { kind: 'poll', sid: null, next: 0, gen, n: 0, hold: 0, deadline, ended: false } as const;
      carrier = this.#carriers.request<Poll>(spec, [text], now);
    }
    this.#pending = { gen, carrier, first, sentAt: now, deadline, subs };
  }

  /** When it is given up; Infinity where none is under way. */
  get deadline(): number {
    if (this.#pending === null) return Number.POSITIVE_INFINITY;
    const { carrier, sentAt, deadline } = this.#pending;
    return carrier.heardAt > sentAt ? Math.min(carrier.heardAt + BEGUN_MS, sentAt + LONGEST_MS) : deadline;
  }
}
