/**
 * When to wake whom: a binary heap of deadlines, one per owner. Moving a deadline later, which is what almost every frame does, costs
 * nothing: the old heap entry stays and is put back when it comes up early.
 */
export interface Owner {
  /** When the owner next wants to be woken, ms; Infinity: not at all. Read when an entry of the owner comes up. */
  deadline(): number;
  /** Where the owner's live heap entry stands; maintained by `Deadlines`. Infinity: none. */
  scheduledAt: number;
}

interface Entry<O> {
  readonly at: number;
  readonly owner: O;
}

export class Deadlines<O extends Owner> {
  readonly #heap: Entry<O>[] = [];

  /** The owner's deadline may have come nearer. */
  update(owner: O): void {
    const at = owner.deadline();
    if (at >= owner.scheduledAt) return;
    owner.scheduledAt = at;
    this.#push({ at, owner });
  }

  /** A time at or before the earliest deadline; Infinity where there is none. */
  next(): number {
    return this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Takes one owner whose deadline has come, or null. The caller lets it act and then calls `update`. */
  takeDue(now: number): O | null {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.at > now) return null;
      this.#pop();
      const { owner, at } = first;
      if (at !== owner.scheduledAt) continue;
      owner.scheduledAt = Number.POSITIVE_INFINITY;
      if (owner.deadline() <= now) return owner;
      this.update(owner);
    }
  }

  get size(): number {
    return this.#heap.length;
  }

  #push(entry: Entry<O>): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Entry<O>;
      if (parent.at <= entry.at) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && (heap[down + 1] as Entry<O>).at < (heap[down] as Entry<O>).at) down += 1;
      const child = heap[down] as Entry<O>;
      if (child.at >= last.at) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}
