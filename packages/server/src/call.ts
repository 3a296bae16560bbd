import { RunnelError } from '@runnel/protocol';
import type { Encoder } from './encoder.ts';
import { LazyAbort } from './lazy-abort.ts';
import type { Receiver } from './receiver.ts';
import type { Timing } from './timing.ts';

export interface CallOptions {
  readonly id: number;
  readonly receiver: Receiver;
  readonly encoder: Encoder;
  readonly clock: Timing;
  readonly onSettled: (call: Call) => void;
}

/** A request or publish of a session, from its frame to its answer. It is answered once; whatever comes later is ignored. */
export class Call {
  readonly id: number;
  readonly #options: CallOptions;
  readonly #abort = new LazyAbort();
  #settled = false;
  /** Takes the time limit back; null while there is none. */
  #cancelTimer: (() => void) | null = null;
  /** Called when the call is aborted while its session lives. */
  #onAborted: ((reason: RunnelError) => void) | null = null;

  constructor(options: CallOptions) {
    this.id = options.id;
    this.#options = options;
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

  /** Answers `timeout` after `ms`. */
  limit(ms: number): void {
    if (this.#settled) return;
    this.#cancelTimer = this.#options.clock.after(ms, () => {
      this.abort(new RunnelError('timeout', `there was no answer in ${ms} ms`));
    });
  }

  onAborted(run: (reason: RunnelError) => void): void {
    this.#onAborted = run;
  }

  /** @param json the encoded payload; null for an answer without one */
  succeed(json: string | null): void {
    if (this.#settle()) this.#send(this.#options.encoder.result(this.id, json));
  }

  fail(error: RunnelError): void {
    if (this.#settle()) this.#send(this.#options.encoder.error(this.id, error));
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
    this.#options.onSettled(this);
    return true;
  }

  #send(lines: ReturnType<Encoder['result']>): void {
    for (const line of lines) this.#options.receiver.enqueue(line);
  }
}
