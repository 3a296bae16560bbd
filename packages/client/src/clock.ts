/**
 * Time as the session core is told it, in ms since 1970: it never goes back, and it goes on while the machine sleeps (the larger of monotonic and wall-clock
 * time elapsed). A wall clock that is set back is ignored; one that leaps ahead of the monotonic clock takes time along.
 */
import type { Environment } from './environment.ts';

/** The two clocks may differ by this much before it means something. */
const JUMP_MS = 2_000;

export class Clock {
  readonly #environment: Pick<Environment, 'monotonicMs' | 'wallMs'>;
  /** What to add to monotonic time. */
  #offset: number;
  /** How far the wall clock was ahead of the monotonic one when they were last compared. */
  #lead: number;
  #jumped = false;

  constructor(environment: Pick<Environment, 'monotonicMs' | 'wallMs'>) {
    this.#environment = environment;
    this.#offset = this.#lead = environment.wallMs() - environment.monotonicMs();
  }

  now(): number {
    const monotonic = this.#environment.monotonicMs();
    const leap = this.#environment.wallMs() - monotonic - this.#lead;
    if (Math.abs(leap) > JUMP_MS) {
      this.#lead += leap;
      if (leap > 0) {
        this.#offset += leap;
        this.#jumped = true;
      }
    }
    return monotonic + this.#offset;
  }

  /** Whether time has leapt since this was last asked. */
  takeJump(): boolean {
    const jumped = this.#jumped;
    this.#jumped = false;
    return jumped;
  }
}
