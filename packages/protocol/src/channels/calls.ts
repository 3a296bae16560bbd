/**
 * Publishes and requests, from the call to its one answer. A call waits in the queue until the session takes it, and then for its answer under the id
 * it went up with. Each is settled exactly once: whoever settles it takes it out of both places first.
 */
import { RunnelError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import { Type } from '../wire/frames.ts';
import { utf8Length } from '../wire/utf8.ts';

/** What waits for a session at most: calls, and bytes of their payloads. */
const CALL_QUEUE_MAX = 1_000;
const CALL_QUEUE_BYTES_MAX = 1_048_576;

/** Has a counted frame sent. False, and not sent: the session takes no more for now. From its call to its return nobody else is called. */
export type Send = (text: string) => boolean;

/** Told the one outcome of a call. Must not throw. */
export type Settle = (error: RunnelError | null, data?: unknown) => void;

export interface CallOptions {
  /** Concrete name; empty for what concerns the session itself. */
  readonly channel: string;
  /** Event of a publish, method of a request. */
  readonly name: string;
  /** JSON, from `encodeData`. */
  readonly data: string;
  /** From the call on, time in the queue included, ms. Of a streamed answer: the longest wait for its first or next part, or its end. */
  readonly timeoutMs: number;
  /** Makes it a publish: names it across sessions, so that it is done once. */
  readonly idemKey?: string | undefined;
  /** Makes it a request whose answer is streamed. */
  readonly stream?: Stream;
  readonly settle: Settle;
}

/** PROTOCOL §5.27 */
export interface Stream {
  /** Parts that may come before more are allowed, from 1 to 1,024 at any time. */
  readonly credit: number;
  /** Told each part, before `settle`. Must not throw. */
  readonly onPart: (data: unknown) => void;
}

/** One publish or request. */
export interface Call extends CallOptions {
  /** UTF-8 bytes of `data`. */
  readonly bytes: number;
  /** When it is given up; Infinity while it is the application that keeps the server waiting. */
  deadline: number;
  /** Id in this incarnation; null while it is not sent. */
  id: number | null;
  /** When it went up for the first time; null: it never did. */
  sentAt: number | null;
  /** Parts that are allowed and have not come. */
  credit: number;
  /** Those of them that the server has not been told of. */
  untold: number;
  /** Whether a part has come, so that it cannot begin anew. */
  begun: boolean;
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
  readonly #canceled = new Set<number>();
  /** Requests that are sent and have parts `untold`. */
  readonly #allowed = new Set<Call>();
  /** Why there is no session and none is sought; null while one is. */
  #closed: string | null = null;

  constructor(nextId: () => number) {
    this.#nextId = nextId;
  }

  /** Whether every call is settled. */
  get isEmpty(): boolean {
    return this.#queue.size === 0 && this.#sent.size === 0;
  }

  add(options: CallOptions, limits: CallLimits, now: number): Call {
    const bytes = utf8Length(options.data);
    const credit = options.stream?.credit ?? 0;
    const deadline = now + options.timeoutMs;
    const call: Call = { ...options, bytes, deadline, id: null, sentAt: null, credit, untold: credit, begun: false };
    if (this.#closed !== null) this.#disconnected(call, this.#closed);
    else if (bytes > limits.messageBytes) this.#refuseSize(call, limits);
    else if (
      this.#queue.size >= CALL_QUEUE_MAX ||
      (this.#queue.size > 0 && this.#queueBytes + bytes > CALL_QUEUE_BYTES_MAX)
    ) {
      this.#settle(
        call,
        new RunnelError('queue_full', `${describe(call)} was not sent: ${this.#queue.size} calls wait already.`),
      );
    } else this.#enqueue(call);
    return call;
  }

  /** The answer to call `id` has come. */
  answer(id: number, error: RunnelError | null, data?: unknown): void {
    const call = this.#sent.get(id);
    if (call !== undefined) this.#settle(call, error, data);
  }

  /** A part of the answer to call `id` has come. */
  part(id: number, data: unknown, now: number): void {
    const call = this.#sent.get(id);
    if (call?.stream === undefined) return;
    call.begun = true;
    call.credit -= 1;
    call.deadline = call.credit > 0 ? now + call.timeoutMs : Number.POSITIVE_INFINITY;
    call.stream.onPart(data);
  }

  /** Allows `credit` more parts of a streamed answer. */
  allow(call: Call, credit: number, now: number): void {
    if (!this.#isOpen(call)) return;
    if (call.credit <= 0) call.deadline = now + call.timeoutMs;
    call.credit += credit;
    call.untold += credit;
    if (call.id !== null) this.#allowed.add(call);
  }

  /** Gives a call up. One that is settled is left alone. */
  cancel(call: Call): void {
    if (this.#giveUp(call)) this.#settle(call, new RunnelError('canceled', `${describe(call)} was canceled.`));
  }

  /** The incarnation is over (PROTOCOL §7.8): what was under way goes first in the queue, in order, but for answers that have begun to come. */
  lost(): void {
    const open = [...this.#sent.values(), ...this.#queue];
    for (const calls of [this.#sent, this.#queue, this.#allowed, this.#canceled]) calls.clear();
    this.#queueBytes = 0;
    for (const call of open) this.#enqueue(call);
    for (const call of this.#queue) if (call.begun) this.#settle(call, indeterminate(call));
  }

  /** The session has ended and none is sought. */
  closed(reason: string): void {
    this.#closed = reason;
    this.lost();
    for (const call of this.#queue) this.#disconnected(call, reason);
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

  /** Settles what waits in vain: what this server does not take, and publishes whose keys it may have forgotten (PROTOCOL §7.8). */
  refuse(limits: CallLimits, now: number): void {
    for (const call of this.#queue) {
      const { bytes, idemKey, sentAt } = call;
      if (bytes > limits.messageBytes) this.#refuseSize(call, limits);
      else if (idemKey !== undefined && sentAt !== null && now - sentAt > limits.dedupMs)
        this.#settle(call, indeterminate(call));
    }
  }

  /** Sends what may go up now, with no more calls unanswered than the server bears. False: not all of it was taken. */
  sendDue(send: Send, now: number): boolean {
    for (const id of this.#canceled) {
      if (!send(`[${Type.cancel},${id}]`)) return false;
      this.#canceled.delete(id);
    }
    for (const call of this.#allowed) {
      if (!send(`[${Type.part},${call.id},${call.untold}]`)) return false;
      call.untold = 0;
      this.#allowed.delete(call);
    }
    for (const call of this.#queue) {
      if (this.#sent.size >= DEFAULT_LIMITS.calls) return true;
      const id = this.#nextId();
      if (!send(frameText(call, id, now))) return false;
      this.#dequeue(call);
      call.id = id;
      call.sentAt ??= now;
      call.untold = 0;
      this.#sent.set(id, call);
    }
    return true;
  }

  #enqueue(call: Call): void {
    call.id = null;
    call.untold = call.credit;
    this.#queue.add(call);
    this.#queueBytes += call.bytes;
  }

  #dequeue(call: Call): void {
    if (this.#queue.delete(call)) this.#queueBytes -= call.bytes;
  }

  /** Whether it is not settled. */
  #isOpen(call: Call): boolean {
    return call.id === null ? this.#queue.has(call) : this.#sent.has(call.id);
  }

  /** False: it is settled. A request that is under way is stopped; a publish is done or not, but never by halves. */
  #giveUp(call: Call): boolean {
    const open = this.#isOpen(call);
    if (open && call.id !== null && call.idemKey === undefined) this.#canceled.add(call.id);
    return open;
  }

  #refuseSize(call: Call, { messageBytes }: CallLimits): void {
    const message = `${describe(call)} was not sent: its payload has ${call.bytes} bytes, and may have ${messageBytes}.`;
    this.#settle(call, new RunnelError('payload_too_large', message));
  }

  #settle(call: Call, error: RunnelError | null, data?: unknown): void {
    this.#dequeue(call);
    this.#allowed.delete(call);
    if (call.id !== null) this.#sent.delete(call.id);
    call.settle(error, data);
  }
}

function frameText(call: Call, id: number, now: number): string {
  const { channel, name, data, idemKey } = call;
  const type = idemKey === undefined ? Type.request : Type.publish;
  const last = idemKey === undefined ? requestRest(call, now) : JSON.stringify(idemKey);
  return `[${type},${id},${JSON.stringify(channel)},${JSON.stringify(name)},${data},${last}]`;
}

/** PROTOCOL §5.18: the time limit, and what else there is to be said. */
function requestRest({ deadline, timeoutMs, stream, untold, sentAt }: Call, now: number): string {
  const ms = stream === undefined ? Math.max(1, Math.ceil(deadline - now)) : timeoutMs;
  if (stream === undefined && sentAt === null) return String(ms);
  const credit = stream && untold;
  const again = sentAt === null ? undefined : true;
  return `${ms},${JSON.stringify({ credit, again })}`;
}

function describe({ channel, name, idemKey }: Call): string {
  return `${idemKey === undefined ? 'Request' : 'Publish'} "${name}" to "${channel}"`;
}

function indeterminate(call: Call): RunnelError {
  return new RunnelError(
    'indeterminate',
    `${describe(call)} may or may not have been done: the session was lost meanwhile.`,
  );
}
