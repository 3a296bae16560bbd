/** The attach under way. There is one at most: only the last one sent can be adopted (PROTOCOL §7.2). */
import type { AttachSub, Transport } from '../../wire/frames.ts';
import type { CarrierSet } from './carrier-set.ts';
import type { Carrier, Poll, Socket, Stream } from './carriers.ts';
import type { RoundTrip } from './liveness.ts';
import { attachPatienceMs } from './schedules.ts';

/** The very first attach waits longer: a cold path (DNS, TCP, TLS) has told nothing of itself. */
const FIRST_ATTACH_MS = 8_000;
/** An answer that has begun gets this much time from its last sign of life, for it may be long… */
const BEGUN_MS = 8_000;
/** …but a socket that brings everything except the welcome is no way to get one. */
const LONGEST_MS = 30_000;

export interface PendingAttach {
  readonly gen: number;
  readonly carrier: Socket | Stream | Poll;
  readonly sentAt: number;
  /** When another way is tried beside it, if there is one. */
  readonly suspectAt: number;
  /** When it is given up, unless its answer has begun. */
  readonly deadline: number;
  /** What it asked to be subscribed to. */
  readonly subs: readonly AttachSub[];
}

export interface AttachOrder {
  readonly gen: number;
  readonly mode: Transport;
  /** With mode `websocket` only. */
  readonly socket: Socket | null;
  readonly text: string;
  readonly subs: readonly AttachSub[];
  /** How many attempts have failed: each makes the next more patient. */
  readonly failures: number;
}

export class Attaching {
  readonly #carriers: CarrierSet;
  readonly #roundTrip: RoundTrip;
  /** Set by `send`, cleared by `take`. */
  #pending: PendingAttach | null = null;

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

  send({ gen, mode, socket, text, subs, failures }: AttachOrder, now: number): void {
    const patience = this.#roundTrip.patience(text.length);
    const deadline = now + (this.#roundTrip.ms === null ? FIRST_ATTACH_MS : attachPatienceMs(patience, failures));
    let carrier: Socket | Stream | Poll;
    if (socket !== null) {
      carrier = socket;
      this.#carriers.send(socket, text);
    } else if (mode === 'stream') {
      carrier = this.#carriers.request<Stream>({ kind: 'stream', sid: null, next: 0 }, [text], now);
    } else {
      const spec = { kind: 'poll', sid: null, next: 0, gen, n: 0, hold: 0, deadline, ended: false } as const;
      carrier = this.#carriers.request<Poll>(spec, [text], now);
    }
    this.#pending = { gen, carrier, sentAt: now, suspectAt: now + patience, deadline, subs };
  }

  /** When it is given up; Infinity where none is under way. */
  get deadline(): number {
    if (this.#pending === null) return Number.POSITIVE_INFINITY;
    const { carrier, sentAt, deadline } = this.#pending;
    return carrier.heardAt > sentAt ? Math.min(carrier.heardAt + BEGUN_MS, sentAt + LONGEST_MS) : deadline;
  }

  nextTimeout(now: number): number {
    const suspectAt = this.#pending?.suspectAt ?? 0;
    return suspectAt > now ? Math.min(suspectAt, this.deadline) : this.deadline;
  }
}
