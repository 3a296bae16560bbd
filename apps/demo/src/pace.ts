/** Says how many things are due by now, at a steady rate, however irregularly it is asked. Time is passed in, in ms. */
export class Pace {
  readonly #perSecond: number;
  readonly #burstMax: number;
  #at: number;
  // The part of a thing that was due when last asked: carried over, so that rounding loses nothing.
  #remainder = 0;

  /** @param burstMax the most that are ever due at once: after a pause the rate resumes, the pause is not made up for */
  constructor(options: { perSecond: number; burstMax: number; now: number }) {
    this.#perSecond = options.perSecond;
    this.#burstMax = options.burstMax;
    this.#at = options.now;
  }

  due(now: number): number {
    const exact = this.#remainder + (Math.max(0, now - this.#at) * this.#perSecond) / 1_000;
    const whole = Math.min(Math.floor(exact), this.#burstMax);
    this.#remainder = Math.min(exact - whole, 1);
    this.#at = now;
    return whole;
  }
}
