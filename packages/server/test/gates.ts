import type { MemoryBrokerStep } from '../src/brokers/memory.ts';

/** Holds steps of the memory broker until they are let go, lost or failed: its `latency` hook. */
export class Gates {
  readonly #held = new Set<MemoryBrokerStep>();
  #waiting: {
    readonly step: MemoryBrokerStep;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];

  readonly latency = (step: MemoryBrokerStep): Promise<void> | undefined => {
    if (!this.#held.has(step)) return undefined;
    return new Promise((resolve, reject) => this.#waiting.push({ step, resolve, reject }));
  };

  /** From here on, calls wait at `step`. */
  hold(step: MemoryBrokerStep): void {
    this.#held.add(step);
  }

  /** How many wait at `step`. */
  waiting(step: MemoryBrokerStep): number {
    return this.#waiting.filter((waiting) => waiting.step === step).length;
  }

  /** Lets those go that wait at `step`, and later ones pass. `order`: which of them go, by when they came; default: all, in order. */
  release(step: MemoryBrokerStep, order?: readonly number[]): void {
    this.#held.delete(step);
    const held = this.#waiting.filter((waiting) => waiting.step === step);
    this.#waiting = this.#waiting.filter((waiting) => waiting.step !== step);
    for (const index of order ?? held.keys()) held[index]?.resolve();
  }

  /** Fails those that wait at `step`, and lets later ones pass. */
  fail(step: MemoryBrokerStep): void {
    this.#held.delete(step);
    const held = this.#waiting.filter((waiting) => waiting.step === step);
    this.#waiting = this.#waiting.filter((waiting) => waiting.step !== step);
    for (const { reject } of held) reject(new Error('the broker is down'));
  }
}
