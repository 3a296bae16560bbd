/** What goes up the session next: counted frames, of which all go or none, and frames that may be lost. */
import { DEFAULT_LIMITS, type Line, type SessionPort, splitLine, utf8Length } from '@runnel/protocol';

/** When to try again to send what a full session has refused. */
const RETRY_MS = 250;

export class Outbox {
  #lines: Line[];
  /** The oldest are dropped beyond `volatileBytes`. */
  #loose: Line[] = [];
  #looseBytes = 0;
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
    this.#lines.push(...splitLine(JSON.stringify(frame), DEFAULT_LIMITS).map(toLine));
  }

  pushLoose(text: string): void {
    const line = toLine(text);
    this.#loose.push(line);
    this.#looseBytes += line.size;
    while (this.#looseBytes > DEFAULT_LIMITS.volatileBytes) this.#looseBytes -= (this.#loose.shift() as Line).size;
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
    if (session.holdsLoose) return false;
    let any = false;
    for (const line of this.#loose) any = session.sendLoose(line) || any;
    this.#loose = [];
    this.#looseBytes = 0;
    return any;
  }
}

const toLine = (text: string): Line => ({ text, size: utf8Length(text) + 1 });
