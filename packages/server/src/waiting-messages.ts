/**
 * The messages of one subscription that wait while its session is slow (PROTOCOL §5.23), in the order of offsets. A message takes the place
 * of an older one with the same slot, and the oldest may be dropped; whoever takes a message out is told which offsets before it are
 * missing for that reason.
 *
 * Some may be missing for another: a message that the broker has lost. That is not ours to declare. From such a place on nothing is said
 * to be skipped, so that the subscriber sees the gap by `prev` (PROTOCOL §5.16) and asks the log.
 */
import { bytesOf, type LiveMessage } from './live-message.ts';

export interface WaitingBounds {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

/** A message that goes out, and the offsets before it that do not, both ends included. */
export interface Departure {
  readonly message: LiveMessage;
  readonly skipped: { readonly from: number; readonly to: number } | null;
}

/** In a doubly linked list: any of them may be the next to go. */
interface Place {
  readonly message: LiveMessage;
  before: Place | null;
  after: Place | null;
}

export class WaitingMessages {
  readonly #bounds: WaitingBounds;
  #first: Place | null = null;
  #last: Place | null = null;
  /** Messages with a slot, by slot: one of each. */
  readonly #slots = new Map<string, Place>();
  #size = 0;
  #bytes = 0;
  /** Up to here the subscriber was sent each message, or told that it is skipped. */
  #position: number;
  /** The newest offset that was pushed, or `#position` while none was. */
  #heard: number;
  /** The first message before which one was lost on the way here; Infinity while none was. */
  #brokenAt = Number.POSITIVE_INFINITY;

  /** @param position offset of what the subscriber was sent last */
  constructor(position: number, bounds: WaitingBounds) {
    this.#position = position;
    this.#heard = position;
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#size;
  }
  /** About. */
  get bytes(): number {
    return this.#bytes;
  }
  /** Whether it has outgrown its bounds. One message never does. */
  get overfull(): boolean {
    const { messagesMax, bytesMax } = this.#bounds;
    return this.#size > 1 && (this.#size > messagesMax || this.#bytes > bytesMax);
  }

  /** Offsets rise. */
  push(message: LiveMessage): void {
    const { offset, prev, slot } = message;
    if (prev > this.#heard) this.#brokenAt = Math.min(this.#brokenAt, offset);
    this.#heard = offset;
    const place: Place = { message, before: null, after: null };
    if (slot !== null) {
      const older = this.#slots.get(slot);
      if (older !== undefined) this.#remove(older);
      this.#slots.set(slot, place);
    }
    place.before = this.#last;
    if (this.#last === null) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#size += 1;
    this.#bytes += bytesOf(message);
  }

  dropOldest(): void {
    if (this.#first !== null) this.#remove(this.#first);
  }

  /** Takes the oldest out; null: there is none. */
  shift(): Departure | null {
    if (this.#first === null) return null;
    const { message } = this.#first;
    this.#remove(this.#first);
    const { offset, prev } = message;
    const isSkip = prev > this.#position && offset < this.#brokenAt;
    const skipped = isSkip ? { from: this.#position + 1, to: prev } : null;
    this.#position = offset;
    return { message, skipped };
  }

  #remove(place: Place): void {
    const { message, before, after } = place;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    if (message.slot !== null) this.#slots.delete(message.slot);
    this.#size -= 1;
    this.#bytes -= bytesOf(message);
  }
}
