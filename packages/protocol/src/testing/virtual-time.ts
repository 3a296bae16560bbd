/** A clock that jumps from event to event. Events of one time run in the order in which they were scheduled. */
interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export class VirtualTime {
  #now = 0;
  #order = 0;
  /** A binary heap by time, then by order. */
  readonly #heap: Event[] = [];

  get now(): number {
    return this.#now;
  }

  /** Runs `run` in `ms` of virtual time. Returns a function that prevents it. */
  after(ms: number, run: () => void): () => void {
    let canceled = false;
    this.#push({
      at: this.#now + Math.max(0, ms),
      order: this.#order++,
      run: () => {
        if (!canceled) run();
      },
    });
    return () => {
      canceled = true;
    };
  }

  /** Runs the next event, if there is one up to `until`. */
  step(until: number): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.at > until) {
      this.#now = Math.max(this.#now, until);
      return false;
    }
    this.#pop();
    this.#now = first.at;
    first.run();
    return true;
  }

  /** Runs everything that is due within `ms`. */
  run(ms: number): void {
    const until = this.#now + ms;
    while (this.step(until));
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!isBefore(event, heap[up] as Event)) break;
      heap[at] = heap[up] as Event;
      at = up;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1] as Event, heap[down] as Event)) down += 1;
      if (!isBefore(heap[down] as Event, last)) break;
      heap[at] = heap[down] as Event;
      at = down;
    }
    heap[at] = last;
  }
}

const isBefore = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** One timer that follows a `nextTimeout()`: a session's driver in virtual time. */
export class VirtualTimer {
  readonly #time: VirtualTime;
  readonly #fire: () => void;
  #at: number = Number.POSITIVE_INFINITY;
  #cancel: () => void = () => {};

  constructor(time: VirtualTime, fire: () => void) {
    this.#time = time;
    this.#fire = fire;
  }

  /** Fires at `at`, or not at all at Infinity. Replaces what was set before. */
  set(at: number): void {
    if (at === this.#at) return;
    this.#cancel();
    this.#at = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#time.after(at - this.#time.now, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#fire();
    });
  }
}
