/** Sends messages both ways, to the plan and for as long as something goes on. */
import type { Origin } from './origin.ts';
import type { Party } from './party.ts';
import type { Traffic } from './situation.ts';

export class Pacer {
  resting = false;
  readonly #traffic: Traffic;
  readonly #party: Party;
  readonly #origin: Origin;

  constructor(traffic: Traffic, party: Party, origin: Origin) {
    this.#traffic = traffic;
    this.#party = party;
    this.#origin = origin;
  }

  async talk(meanwhile: Promise<void>): Promise<void> {
    const { talkMs, quietMs, everyMs, length, publishes } = this.#traffic;
    let ongoing = true;
    const end = (): void => {
      ongoing = false;
    };
    meanwhile.then(end, end);
    const startedAt = performance.now();
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const passed = performance.now() - startedAt;
        if (passed >= 2 * talkMs + quietMs && !ongoing) {
          clearInterval(timer);
          resolve();
          return;
        }
        if (this.resting || (passed >= talkMs && passed < talkMs + quietMs)) return;
        if (publishes) this.#party.publish(length);
        void this.#origin.broadcast(length);
      }, everyMs);
    });
  }
}
