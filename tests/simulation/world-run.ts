/** How the worlds with promises in them are run: event by event, with all that each has begun. */
import { Random, type VirtualTime } from '@runnel/protocol/testing';
import type { Coverage } from './coverage.ts';
import type { EventLog } from './event-log.ts';
import type { ScheduleResult } from './schedule.ts';

interface RunningWorld {
  readonly time: VirtualTime;
  readonly coverage: Coverage;
  readonly log: EventLog;
  check(): void;
}

/** Runs what falls due within so many ms, or up to where `until` holds; returns whether it does. */
export type Run = (ms: number, until?: () => boolean) => Promise<boolean>;

export interface SchedulePlan<W extends RunningWorld> {
  readonly create: (random: Random, hashed: boolean) => W;
  readonly faultsMax: number;
  /** How much goes on at a time, at most; one of these. */
  readonly busy: readonly number[];
  readonly act: (world: W, count: number) => void;
  readonly disturb: (world: W) => void;
  /** Heals the world, and checks what must hold then. */
  readonly heal: (world: W, run: Run) => Promise<void>;
  /** Checks what must hold in the end, healed or not. */
  readonly finish?: (world: W) => void;
}

/** Runs the schedule of `seed`; rejects with a `Violation`. `onWorld` is given the world first so that a failure can be told. */
export async function runWorld<W extends RunningWorld>(
  plan: SchedulePlan<W>,
  { seed, onWorld, hashed }: { seed: number; onWorld: (world: W) => void; hashed: boolean },
): Promise<ScheduleResult> {
  const random = new Random(seed);
  const world = plan.create(random, hashed);
  onWorld(world);
  const running = new WorldRun(world);
  const faults = random.int(0, plan.faultsMax);
  const busy = random.pick(plan.busy);
  await running.provoke(random, faults, {
    act: () => plan.act(world, random.int(1, busy)),
    disturb: () => plan.disturb(world),
  });
  const liveness = random.chance(0.7);
  world.coverage.saw(liveness ? 'liveness schedule' : 'safety schedule');
  if (liveness) await plan.heal(world, running.run);
  plan.finish?.(world);
  return { events: running.events, coverage: world.coverage.counts, hash: world.log.hash };
}

class WorldRun {
  readonly #world: RunningWorld;
  /** Run so far. */
  events = 0;

  constructor(world: RunningWorld) {
    this.#world = world;
  }

  readonly run: Run = async (ms, until = () => false) => {
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
