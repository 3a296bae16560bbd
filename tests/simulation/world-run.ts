/** How the worlds with promises in them are run: event by event, with all that each has begun. */
import type { Random, VirtualTime } from '@runnel/protocol/testing';

interface RunningWorld {
  readonly time: VirtualTime;
  check(): void;
}

export class WorldRun {
  readonly #world: RunningWorld;
  /** Run so far. */
  events = 0;

  constructor(world: RunningWorld) {
    this.#world = world;
  }

  /** Runs what falls due within `ms`, or up to where `until` holds. Returns whether it does. */
  readonly run = async (ms: number, until: () => boolean = () => false): Promise<boolean> => {
    const { time } = this.#world;
    const end = time.now + ms;
    while (!until()) {
      const stepped = time.step(end);
      await settleMicrotasks();
      if (!stepped) return until();
      this.events += 1;
      this.#world.check();
    }
    return true;
  };

  /** Bursts of what goes on in the world, and pauses, with a fault after each. */
  async provoke(
    random: Random,
    faults: number,
    { act, disturb }: { act: () => void; disturb: () => void },
  ): Promise<void> {
    for (let i = 0; i < faults; i += 1) {
      const pause = random.pick([1, 20, 200, 2_000, 15_000]) * random.next();
      const bursts = random.int(0, 3);
      for (let burst = 0; burst < bursts; burst += 1) {
        act();
        await this.run(pause / (bursts + 1));
      }
      await this.run(pause / (bursts + 1));
      disturb();
    }
  }
}

/**
 * Everything that was begun and waits for no event has run. Every wait in these worlds ends with an event of virtual time, so what runs here is
 * the same in every run of a seed.
 */
function settleMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
