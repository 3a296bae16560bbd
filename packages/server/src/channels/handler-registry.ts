import { type CompiledContract, type Identity, RunnelError } from '@runnel/protocol';
import type { Timing } from '../timing.ts';
import { checkHandlers, type PatternHandlers } from './pattern-handlers.ts';

/** How long frames wait for the handlers of their pattern, ms, and how many of one pattern. */
const LATE = { waitMs: 10_000, framesMax: 1_000 } as const;

interface Waiting<I extends Identity> {
  readonly resolves: ((handlers: PatternHandlers<I> | null) => void)[];
  readonly cancelTimer: () => void;
}

/** The handlers of each pattern. They may be registered after the first frames for them have come: those wait for a while. */
export class HandlerRegistry<I extends Identity> {
  readonly #contract: CompiledContract;
  readonly #clock: Timing;
  readonly #handlers = new Map<string, PatternHandlers<I>>();
  /** By pattern; an entry lives until the handlers come or the time of its first frame is up. */
  readonly #waiting = new Map<string, Waiting<I>>();

  constructor(contract: CompiledContract, clock: Timing) {
    this.#contract = contract;
    this.#clock = clock;
  }

  /** @throws RunnelError `contract_invalid` for an undeclared pattern, a second set of handlers, or handlers that are not right */
  add(pattern: string, given: object): void {
    const channel = this.#contract.channels.get(pattern);
    const shown = JSON.stringify(String(pattern).slice(0, 64));
    if (channel === undefined) throw new RunnelError('contract_invalid', `the contract declares no channel ${shown}`);
    if (this.#handlers.has(pattern)) throw new RunnelError('contract_invalid', `handle(${shown}) was called before`);
    const handlers = checkHandlers<I>(channel, given);
    this.#handlers.set(pattern, handlers);
    this.#settle(pattern, handlers);
  }

  /** The handlers of a declared pattern: at once where they are there, else when they come; null when they did not in time. */
  get(pattern: string): PatternHandlers<I> | Promise<PatternHandlers<I> | null> {
    return this.#handlers.get(pattern) ?? this.#wait(pattern);
  }

  /** Nobody is waited for any longer. */
  close(): void {
    for (const pattern of [...this.#waiting.keys()]) this.#settle(pattern, null);
  }

  #wait(pattern: string): Promise<PatternHandlers<I> | null> {
    const waiting = this.#waiting.get(pattern) ?? {
      resolves: [],
      cancelTimer: this.#clock.after(LATE.waitMs, () => this.#settle(pattern, null)),
    };
    this.#waiting.set(pattern, waiting);
    if (waiting.resolves.length >= LATE.framesMax) return Promise.resolve(null);
    return new Promise((resolve) => waiting.resolves.push(resolve));
  }

  #settle(pattern: string, handlers: PatternHandlers<I> | null): void {
    const waiting = this.#waiting.get(pattern);
    this.#waiting.delete(pattern);
    waiting?.cancelTimer();
    for (const resolve of waiting?.resolves ?? []) resolve(handlers);
  }
}
