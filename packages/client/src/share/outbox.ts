/** What goes up the session next: counted frames, of which all go or none, and frames that may be lost. */
import { DEFAULT_LIMITS, type Line, lineOf, type SessionPort, splitLine, VolatileLines } from '@runnel/protocol';

/** When to try again to send what a full session has refused. */
const RETRY_MS = 250;

export class Outbox {
  #lines: Line[];
  readonly #loose = new VolatileLines();
  /** Infinity unless the session is full. */
  #retryAt = Number.POSITIVE_INFINITY;

  constructor(lines: readonly Line[] = []) {
    this.#lines = [...lines];
  }

  /** The counted frames that wait. */
  get lines(): readonly Line[] {
    return this.#lines;
  }
  get retryAt(): number {
    return this.#retryAt;
  }

  push(frame: readonly unknown[]): void {
    this.#lines.push(...splitLine(JSON.stringify(frame), DEFAULT_LIMITS).map(lineOf));
  }

  pushLoose(text: string): void {
    this.#loose.push(lineOf(text));
  }

  /** The incarnation is over, and what was for it. */
  lost(): void {
    this.#lines = [];
  }

  /** Hands the counted frames over. Returns whether that was anything. */
  drain(session: SessionPort, now: number): boolean {
    this.#retryAt = Number.POSITIVE_INFINITY;
    if (this.#lines.length === 0) return false;
    if (!session.send(this.#lines)) {
      this.#retryAt = now + RETRY_MS;
      return false;
    }
    this.#lines = [];
    return true;
  }

  /** Hands over what may be lost, unless that had better wait. Returns whether that was anything. */
  drainLoose(session: SessionPort): boolean {
    return this.#loose.drain(session);
  }
}
