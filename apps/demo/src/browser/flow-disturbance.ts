import type { Choice } from './transport-switch.ts';

interface DisturbanceOptions {
  /** What to switch to, in turn; none where the address pins a transport. */
  readonly choices: readonly Choice[];
  /** Resolves to whether the session has come to the choice. */
  readonly onSwitch: (choice: Choice) => Promise<boolean>;
  /** Resolves when something carries the session. */
  readonly untilOpen: () => Promise<void>;
  /** Resolves to how many connections were destroyed. */
  readonly onCut: () => Promise<number>;
  readonly signal: AbortSignal;
}

const pauseMs = 40;
const switchesPerCut = 15;
/** How long a link lives before it is cut: one that dies young again and again is tried again ever more slowly. */
const restMs = 1_200;

/** What a flow test has to survive. Counts only what really happened. */
export class FlowDisturbance {
  switches = 0;
  cuts = 0;
  readonly #options: DisturbanceOptions;

  constructor(options: DisturbanceOptions) {
    this.#options = options;
    // A client that is closed for good ends the test, and this with it.
    this.#run().catch(() => {});
  }

  async #run(): Promise<void> {
    const { choices, onSwitch, untilOpen, onCut, signal } = this.#options;
    let turn = 0;
    while (!signal.aborted) {
      for (let i = 0; i < switchesPerCut && !signal.aborted; i++) {
        const choice = choices[turn++ % choices.length];
        if (choice !== undefined && (await onSwitch(choice))) this.switches++;
        if (choice !== undefined) await pause(pauseMs);
      }
      await untilOpen();
      await pause(restMs);
      if (!signal.aborted && (await onCut()) > 0) this.cuts++;
    }
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
