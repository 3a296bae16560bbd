import type { ElasticClock } from '../support/elastic-clock.ts';

/** How far a clock leaps at once, ms: less than what a server waits for before it does anything about a silent client. */
const STEP_MS = 5_000;

/** Lets time pass for a server: what it does when one thing is due may make another due later. */
export async function lapse(clock: ElasticClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= STEP_MS) {
    clock.leap(Math.min(left, STEP_MS));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
