/** Volatile frames of a client that wait to go up: newer ones take the place of older ones. */
import { DEFAULT_LIMITS } from '../limits.ts';
import type { SessionPort } from './client/ports.ts';
import type { Line } from './ledger.ts';

export class VolatileLines {
  /** The oldest dropped beyond `volatileBytes`, except that the newest always waits. Emptied by `take`. */
  #lines: Line[] = [];
  #bytes = 0;

  /** Bytes of what waits; 0: nothing does. */
  get bytes(): number {
    return this.#bytes;
  }

  push(line: Line): void {
    this.#lines.push(line);
    this.#bytes += line.size;
    while (this.#bytes > DEFAULT_LIMITS.volatileBytes && this.#lines.length > 1)
      this.#bytes -= (this.#lines.shift() as Line).size;
  }

  /** Hands everything to `session`, unless it had better wait; what is not taken there is lost. Returns whether that was anything. */
  drain(session: Pick<SessionPort, 'holdsLoose' | 'sendLoose'>): boolean {
    return !session.holdsLoose && this.take().filter((line) => session.sendLoose(line)).length > 0;
  }

  /** Everything, about to be sent or dropped. */
  take(): Line[] {
    this.#bytes = 0;
    return this.#lines.splice(0);
  }
}
