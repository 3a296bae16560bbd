/**
 * When to wake whom: a binary heap of owners, each in it at most once, with their times beside them. Moving a deadline later, which is what almost every
 * frame does, costs nothing: the owner stays where it is and is put further down when it comes up early.
 */
export interface Owner {
  /** When the owner next wants to be woken, ms; Infinity: not at all. Read when the owner comes up. */
  deadline(): number;
  /** Where it stands in the heap; maintained by `Deadlines`. -1: nowhere. */
  place: number;
}

const FIRST_CAPACITY = 64;

export class Deadlines<O extends Owner> {
  readonly #owners: O[] = [];
  /** When each of them comes up: at or before its deadline. Numbers in objects would take twice the room. */
  #times = new Float64Array(FIRST_CAPACITY);

  /** The owner's deadline may have come nearer, or is gone. */
  update(owner: O): void {
    const at = owner.deadline();
    const { place } = owner;
    if (at === Number.POSITIVE_INFINITY) this.#remove(owner);
    else if (place < 0) this.#rise(this.#owners.length, owner, at);
    else if (at < (this.#times[place] as number)) this.#rise(place, owner, at);
  }

  /** A time at or before the earliest deadline; Infinity where there is none. */
  next(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] as number);
  }

  /** Takes one owner whose deadline has come, or null. The caller lets it act and then calls `update`. */
  takeDue(now: number): O | null {
    while (this.next() <= now) {
      const owner = this.#owners[0] as O;
      const at = owner.deadline();
      if (at <= now) {
        this.#remove(owner);
        return owner;
      }
      if (at === Number.POSITIVE_INFINITY) this.#remove(owner);
      else this.#sink(0, owner, at);
    }
    return null;
  }

  get size(): number {
    return this.#owners.length;
  }

  #remove(owner: O): void {
    const { place } = owner;
    if (place < 0) return;
    owner.place = -1;
    const last = this.#owners.pop() as O;
    if (last === owner) return;
    const at = this.#times[this.#owners.length] as number;
    if (place > 0 && at < (this.#times[(place - 1) >> 1] as number)) this.#rise(place, last, at);
    else this.#sink(place, last, at);
  }

  /** Puts an owner that comes up at `at` where `place` is free, or above. */
  #rise(place: number, owner: O, at: number): void {
    let free = place;
    while (free > 0) {
      const above = (free - 1) >> 1;
      const time = this.#times[above] as number;
      if (time <= at) break;
      this.#put(free, this.#owners[above] as O, time);
      free = above;
    }
    this.#put(free, owner, at);
  }

  /** Likewise, or below. */
  #sink(place: number, owner: O, at: number): void {
    const { length } = this.#owners;
    let free = place;
    for (;;) {
      let below = free * 2 + 1;
      if (below >= length) break;
      if (below + 1 < length && (this.#times[below + 1] as number) < (this.#times[below] as number)) below += 1;
      const time = this.#times[below] as number;
      if (time >= at) break;
      this.#put(free, this.#owners[below] as O, time);
      free = below;
    }
    this.#put(free, owner, at);
  }

  #put(place: number, owner: O, at: number): void {
    if (place >= this.#times.length) {
      const larger = new Float64Array(2 * this.#times.length);
      larger.set(this.#times);
      this.#times = larger;
    }
    this.#owners[place] = owner;
    this.#times[place] = at;
    owner.place = place;
  }
}
