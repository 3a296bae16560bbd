/**
 * Publishes and requests, from the call to its one answer. A call waits in the queue until the session takes it, and then for its answer under the id
 * it went up with. Each is settled exactly once: whoever settles it takes it out of both places first.
 */
import { RunnelError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { Type } from '../wire/frames.ts';
import { utf8Length } from '../wire/utf8.ts';
import { type Parcel, toParcel } from './parcel.ts';

/** What waits for a session at most: calls, and bytes of their payloads. */
const CALL_QUEUE_MAX = 1_000;
const CALL_QUEUE_BYTES_MAX = 1_048_576;

/** Told the one outcome of a call. Must not throw. */
export type Settle = (error: RunnelError | null, data?: unknown) => void;

export interface CallOptions {
  /** Concrete name; empty for what concerns the session itself. */
  readonly channel: string;
  /** Event of a publish, method of a request. */
  readonly name: string;
  /** JSON, from `encodeData`. */
  readonly data: string;
  /** From the call on, time in the queue included, ms. */
  readonly timeoutMs: number;
  /** Makes it a publish: names it across sessions, so that it is done once. */
  readonly idemKey?: string;
  readonly settle: Settle;
}

/** One publish or request. */
export interface Call extends CallOptions {
  /** UTF-8 bytes of `data`. */
  readonly bytes: number;
  readonly deadline: number;
  /** Id in this incarnation; null while it is not sent. */
  id: number | null;
  /** When it went up for the first time; null: it never did. */
  sentAt: number | null;
}

/** What the server allows. */
export interface CallLimits {
  readonly messageBytes: number;
  readonly dedupMs: number;
}

export class Calls {
  readonly #nextId: () => number;
  readonly #queue = new Set<Call>();
  /** Bytes of the payloads in `#queue`. */
  #queueBytes = 0;
  /** Sent and not answered, by id. */
  readonly #sent = new Map<number, Call>();
  /** Ids of requests that nobody waits for any more, to be told to the server. */
  #canceled: number[] = [];
  /** Why there is no session and none is sought; null while one is. */
  #closed: string | null = null;

  constructor(nextId: () => number) {
    this.#nextId = nextId;
  }

  add(options: CallOptions, limits: CallLimits, now: number): Call {
    const bytes = utf8Length(options.data);
    const call: Call = { ...options, bytes, deadline: now + options.timeoutMs, id: null, sentAt: null };
    if (this.#closed !== null) this.#disconnected(call, this.#closed);
    else if (bytes > limits.messageBytes) this.#refuseSize(call, limits);
    else if (
      this.#queue.size >= CALL_QUEUE_MAX ||
      (this.#queue.size > 0 && this.#queueBytes + bytes > CALL_QUEUE_BYTES_MAX)
    ) {
      this.#settle(
        call,
        new RunnelError(
          'queue_full',
          `${describe(call)} was refused: ${this.#queue.size} calls wait for a connection already.`,
        ),
      );
    } else this.#enqueue(call);
    return call;
  }

  /** The answer to call `id` has come. */
  answer(id: number, error: RunnelError | null, data?: unknown): void {
    const call = this.#sent.get(id);
    if (call !== undefined) this.#settle(call, error, data);
  }

  /** Gives a call up. One that is settled is left alone. */
  cancel(call: Call): void {
    if (this.#giveUp(call)) this.#settle(call, new RunnelError('canceled', `${describe(call)} was canceled.`));
  }

  /** The incarnation is over (PROTOCOL §7.8): publishes go first in the queue, in order; what became of requests cannot be said. */
  lost(): void {
    const again: Call[] = [];
    for (const call of [...this.#sent.values()]) {
      if (call.idemKey === undefined) this.#settle(call, indeterminate(call));
      else again.push(call);
    }
    this.#sent.clear();
    this.#canceled = [];
    const queued = [...this.#queue];
    this.#queue.clear();
    this.#queueBytes = 0;
    for (const call of [...again, ...queued]) this.#enqueue(call);
  }

  /** The session has ended and none is sought. */
  closed(reason: string): void {
    this.lost();
    this.#closed = reason;
    for (const call of [...this.#queue]) this.#disconnected(call, reason);
  }

  /** A session is sought again. */
  reopen(): void {
    this.#closed = null;
  }

  #disconnected(call: Call, reason: string): void {
    const error = new RunnelError('disconnected', `${describe(call)} was not sent: ${reason}.`);
    this.#settle(call, call.sentAt === null ? error : indeterminate(call));
  }

  /** Settles what is overdue; returns when the next call will be. */
  settleOverdue(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const call of [...this.#sent.values(), ...this.#queue]) {
      if (call.deadline > now) next = Math.min(next, call.deadline);
      else if (this.#giveUp(call)) {
        this.#settle(call, new RunnelError('timeout', `${describe(call)} had no answer within ${call.timeoutMs} ms.`));
      }
    }
    return next;
  }

  /** The frames that may go up now, with no more calls unanswered than the server bears. */
  *waiting(limits: CallLimits, now: number): Generator<Parcel> {
    for (const id of this.#canceled) {
      yield toParcel(`[${Type.cancel},${id}]`, () => {
        this.#canceled = this.#canceled.filter((canceled) => canceled !== id);
      });
    }
    let room = DEFAULT_LIMITS.calls - this.#sent.size;
    for (const call of this.#queue) {
      if (call.bytes > limits.messageBytes) this.#refuseSize(call, limits);
      // PROTOCOL §7.8: the server may have forgotten the key.
      else if (call.sentAt !== null && now - call.sentAt > limits.dedupMs) this.#settle(call, indeterminate(call));
      else if (room > 0) {
        room -= 1;
        const id = this.#nextId();
        yield toParcel(frameText(call, id, now), () => {
          this.#dequeue(call);
          call.id = id;
          call.sentAt ??= now;
          this.#sent.set(id, call);
        });
      } else return;
    }
  }

  #enqueue(call: Call): void {
    call.id = null;
    this.#queue.add(call);
    this.#queueBytes += call.bytes;
  }

  #dequeue(call: Call): void {
    if (this.#queue.delete(call)) this.#queueBytes -= call.bytes;
  }

  /** False: it is settled. A request that is under way is stopped; a publish is done or not, but never by halves. */
  #giveUp(call: Call): boolean {
    if (call.id === null) return this.#queue.has(call);
    if (!this.#sent.has(call.id)) return false;
    if (call.idemKey === undefined) this.#canceled.push(call.id);
    return true;
  }

  #refuseSize(call: Call, { messageBytes }: CallLimits): void {
    const message = `${describe(call)} was not sent: its payload has ${call.bytes} bytes, and may have ${messageBytes}.`;
    this.#settle(call, new RunnelError('payload_too_large', message));
  }

  #settle(call: Call, error: RunnelError | null, data?: unknown): void {
    this.#dequeue(call);
    if (call.id !== null) this.#sent.delete(call.id);
    call.settle(error, data);
  }
}

function frameText({ channel, name, data, idemKey, deadline }: Call, id: number, now: number): string {
  const [type, last] =
    idemKey === undefined
      ? [Type.request, Math.max(1, Math.ceil(deadline - now))]
      : [Type.publish, JSON.stringify(idemKey)];
  return `[${type},${id},${JSON.stringify(channel)},${JSON.stringify(name)},${data},${last}]`;
}

function describe({ channel, name, idemKey }: Call): string {
  return `${idemKey === undefined ? 'Request' : 'Publish'} "${name}" to "${channel}"`;
}

function indeterminate(call: Call): RunnelError {
  return new RunnelError(
    'indeterminate',
    `${describe(call)} was under way when the session was lost: it may or may not have been done.`,
  );
}
