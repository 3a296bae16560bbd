/** The memory broker with steps that take their time, fail now and then, and messages that do not reach a node. */
import type { Random, VirtualTime } from '@runnel/protocol/testing';
import { type Broker, type MemoryBrokerStep, memoryBroker } from '@runnel/server';
import { Told } from './app-node.ts';
import type { Coverage } from './coverage.ts';

export interface UnsureBrokerOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly coverage: Coverage;
  readonly newId: () => string;
}

export class UnsureBroker {
  /** The longest that a step takes, ms. */
  slowMs: number;
  readonly #options: UnsureBrokerOptions;
  /** Probabilities: a step that fails, a message that one node does not hear of. */
  #failing = 0;
  #losing = 0;

  constructor(options: UnsureBrokerOptions) {
    this.#options = options;
    this.slowMs = options.random.pick([0, 5, 100, 800]);
  }

  /** One life of it: another knows nothing of this one. */
  create(): Broker {
    const { time, newId } = this.#options;
    const clock = { now: () => time.now, after: (ms: number, run: () => void) => time.after(ms, run) };
    return memoryBroker({ clock, newId, latency: (step) => this.#latency(step) });
  }

  /** How it fares from here on. */
  shake(): void {
    this.#failing = this.#options.random.pick([0, 0, 0.1]);
    this.#losing = this.#options.random.pick([0, 0, 0.2]);
  }

  heal(): void {
    this.#failing = 0;
    this.#losing = 0;
  }

  #latency(step: MemoryBrokerStep): Promise<void> | undefined {
    const { random, coverage, time } = this.#options;
    const loses = step === 'deliver' ? this.#losing : this.#failing;
    const ms = this.slowMs * random.next();
    const fails = loses > 0 && random.chance(loses);
    if (ms === 0 && !fails) return undefined;
    if (fails) coverage.saw(step === 'deliver' ? 'message lost' : 'broker failure');
    return new Promise((resolve, reject) => {
      time.after(ms, () => (fails ? reject(new Told('the broker is down')) : resolve()));
    });
  }
}
