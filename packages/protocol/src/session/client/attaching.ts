/**
 * The attach under way, and beside it one that was overtaken and may be only slow: the welcome of either is adopted, whichever comes first (PROTOCOL §7.2). A
 * server that is slow to authenticate is so not outrun, and a request that went down a dead connection holds nobody up.
 */
import { type AttachSub, Type } from '../../wire/frames.ts';
import { encodeFrame } from '../../wire/write.ts';
import type { CarrierSet } from './carrier-set.ts';
import type { Carrier, Poll, Socket, Stream, Way } from './carriers.ts';
import type { Identity } from './identity.ts';
import type { RoundTrip } from './liveness.ts';
import type { Recovery } from './recovery.ts';
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
  readonly way: Way;
  readonly text: string;
  readonly subs: readonly AttachSub[];
}

export interface AttachingParts {
  readonly carriers: CarrierSet;
  readonly roundTrip: RoundTrip;
  readonly identity: Identity;
  readonly recovery: Recovery;
}

export class Attaching {
  readonly #parts: AttachingParts;
  /** Set by `send`, cleared by `take`. */
  #pending: PendingAttach | null = null;
  /** A poll that was overtaken, or waited for in vain; replaced when it has ended or grown old. */
  #earlier: PendingAttach | null = null;
  /** What the next attach may well take, ms, going by the one that was adopted last: servers differ in how long they take to authenticate. */
  #usualMs = 0;

  constructor(parts: AttachingParts) {
    this.#parts = parts;
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
    const isOld =
      kept === null || now >= kept.sentAt + BEGUN_MS || this.#parts.carriers.get(kept.carrier.id) === undefined;
    if (attach.carrier.kind !== 'poll' || attach.carrier.heardAt > attach.sentAt || !isOld)
      return this.#parts.carriers.drop(attach.carrier, reason);
    this.leaveEarlier();
    this.#earlier = attach;
  }

  leaveEarlier(): void {
    this.#parts.carriers.drop(this.#earlier?.carrier ?? null);
    this.#earlier = null;
  }

  /** Its welcome was adopted. The server is done with the earlier one before the one under way: that is due soon, whatever its carrier has said. */
  adopted(attach: PendingAttach, now: number): void {
    this.#usualMs = Math.min(BEGUN_MS, USUAL * (now - attach.sentAt));
    if (attach !== this.#pending) {
      this.#earlier = null;
      if (this.#pending === null) return;
      this.#pending.sentAt = now;
      this.#pending.deadline = now + Math.max(this.#parts.roundTrip.patience(), this.#usualMs);
    } else {
      this.#pending = null;
      this.leaveEarlier();
    }
  }

  /** The network may be another: a poll that was not answered yet may have been sent on a dead connection. */
  hasten(): void {
    const pending = this.#pending;
    if (pending?.carrier.kind === 'poll')
      pending.deadline = Math.min(pending.deadline, pending.sentAt + this.#parts.roundTrip.hastyMs());
  }

  send({ way, text, subs }: AttachOrder, now: number): void {
    const { carriers, identity, recovery, roundTrip } = this.#parts;
    const { gen } = identity;
    const first = identity.sid === null;
    // A poll is not given up when another is sent beside it. Before there is a session a server may take its time to find out who we are.
    const waitMs =
      way === 'poll' && !first
        ? Math.min(attachPatienceMs(roundTrip.hastyMs(), recovery.failures), recovery.longestMs(now))
        : attachPatienceMs(roundTrip.patience(text.length), recovery.failures);
    const deadline = now + Math.max(waitMs, this.#usualMs);
    let carrier: PendingAttach['carrier'];
    if (way === 'stream') carrier = carriers.request<Stream>({ kind: way, sid: null, next: 0 }, [text], now);
    else if (way === 'poll') {
      const spec = { kind: way, sid: null, next: 0, gen, n: 0, hold: 0, deadline, ended: false };
      carrier = carriers.request<Poll>(spec, [text], now);
    } else {
      carrier = way;
      carriers.send(way, text);
      // A pong comes at once where the server takes its time to find out who we are: then the socket is waited for.
      if (first) carriers.send(way, encodeFrame([Type.ping, Math.floor(now)]));
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
