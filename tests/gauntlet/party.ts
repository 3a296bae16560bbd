/** A client, what it sends and what has come to it. */
import { Arrivals, type Numbered, numbered } from './arrivals.ts';
import type { Contender, Standing, Visitor, Way } from './contenders/contender.ts';
import { within } from './patience.ts';

export interface PartyOptions {
  readonly contender: Contender;
  readonly way: Way;
  /** How long anything may take that has to come in the end, ms. */
  readonly patienceMs: number;
  /** Called with the first message. */
  readonly onFirst?: () => void;
}

export class Party {
  readonly visitor: Visitor;
  readonly down: Arrivals = new Arrivals();
  readonly rejected: unknown[] = [];
  sent = 0;
  readonly #options: PartyOptions;
  readonly #startedAt = performance.now();
  #firstMs = Number.POSITIVE_INFINITY;
  readonly #answers: Promise<unknown>[] = [];

  constructor(options: PartyOptions) {
    this.#options = options;
    const { contender, way } = options;
    this.visitor = contender.visit(way, (message) => this.#take(message));
  }

  #take(message: Numbered): void {
    if (this.#firstMs === Number.POSITIVE_INFINITY) {
      this.#firstMs = performance.now() - this.#startedAt;
      this.#options.onFirst?.();
    } else if (message.n === 0) return;
    this.down.add(message);
  }

  /** Resolves when the first message is there, with how long that took, ms; Infinity where it does not come. */
  async first(patienceMs: number): Promise<number> {
    await within(patienceMs, this.down.log.reach(1));
    return this.#firstMs;
  }

  publish(length: number): void {
    const answer = this.visitor.publish(numbered(this.sent, length));
    this.sent += 1;
    this.#answers.push(answer.catch((error: unknown) => this.rejected.push(error)));
  }

  /** Resolves when each publish has its answer. */
  async answered(): Promise<void> {
    await Promise.all(this.#answers);
  }

  /** Resolves when things stand like this; false: in vain. */
  async reaches(like: (standing: Standing) => boolean): Promise<boolean> {
    let off = (): void => {};
    const done = new Promise<void>((resolve) => {
      const look = (): void => {
        if (like(this.visitor.standing)) resolve();
      };
      off = this.visitor.onStanding(look);
      look();
    });
    const reached = await within(this.#options.patienceMs, done);
    off();
    return reached;
  }
}
