import { RunnelError } from '@runnel/protocol';
import type { Encoder } from './encoder.ts';
import { LazyAbort } from './lazy-abort.ts';
import type { Receiver } from './receiver.ts';
import type { Timing } from './timing.ts';

/** The session whose call it is. */
export interface CallOwner {
  readonly receiver: Receiver;
  readonly encoder: Encoder;
  readonly clock: Timing;
  /** The call is answered, or given up. */
  settled(call: Call): void;
}

/** What may be said to a call whose answer is streamed (PROTOCOL §5.27). */
export interface CallStream {
  /** The client allows so many parts more. */
  allow(credit: number): void;
  /** Aborts the call unless its session may still make it. */
  recheck(): Promise<void>;
}

/** A request or publish of a session, from its frame to its answer. It is answered once; whatever comes later is ignored. */
export class Call {
  readonly id: number;
  /** Set when the answer turns out to be streamed. */
  stream: CallStream | null = null;
  readonly #of: CallOwner;
  readonly #abort = new LazyAbort();
  #settled = false;
  /** Takes the time limit back; null while there is none. */
  #cancelTimer: (() => void) | null = null;
  /** Called when the call is aborted while its session lives. */
  #onAborted: ((reason: RunnelError) => void) | null = null;

  constructor(id: number, of: CallOwner) {
    this.id = id;
    this.#of = of;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Aborts when the answer is no longer wanted: canceled, too late, or the session has ended. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Whether `error` is what a handler throws that heeds the signal. */
  isAbortion(error: unknown): boolean {
    return this.#abort.caused(error);
  }

  /** Answers `timeout` when nothing comes for `ms` from now on; null: it may take its time. */
  limit(ms: number | null): void {
    if (this.#settled) return;
    this.#cancelTimer?.();
    this.#cancelTimer =
      ms === null
        ? null
        : this.#of.clock.after(ms, () => this.abort(new RunnelError('timeout', `nothing came in ${ms} ms`)));
  }

  onAborted(run: (reason: RunnelError) => void): void {
    this.#onAborted = run;
  }

  /** Sends a part of a streamed answer. @param json the encoded payload */
  part(json: string): void {
    if (!this.#settled) this.#send(this.#of.encoder.part(this.id, json));
  }

  /** @param json the encoded payload; null for an answer without one */
  succeed(json: string | null): void {
    if (this.#settle()) this.#send(this.#of.encoder.result(this.id, json));
  }

  fail(error: RunnelError): void {
    if (this.#settle()) this.#send(this.#of.encoder.error(this.id, error));
  }

  /** Answers with `reason` and tells the handler to stop. */
  abort(reason: RunnelError): void {
    if (this.#settled) return;
    this.fail(reason);
    this.#abort.abort(reason);
    this.#onAborted?.(reason);
  }

  /** The session has ended: there is nobody to answer. */
  abandon(reason: RunnelError): void {
    if (this.#settle()) this.#abort.abort(reason);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#cancelTimer?.();
    this.#of.settled(this);
    return true;
  }

  #send(lines: ReturnType<Encoder['result']>): void {
    for (const line of lines) this.#of.receiver.enqueue(line);
  }
}
