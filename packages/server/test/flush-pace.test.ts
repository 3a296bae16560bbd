import { expect, it } from 'vitest';
import { FlushPace } from '../src/flush-pace.ts';

/** An event loop in virtual time: turns and flushes that take so long, and rests between them. All times are sums of powers of two, and so exact. */
class Loop {
  readonly pace = new FlushPace();
  readonly #flushMs: number;
  flushCount = 0;
  /** Longest time from the end of a turn that enqueued something to the flush that wrote it. */
  heldMs = 0;
  #now = 0;
  #waitedMs = 0;
  /** The end of the first turn whose messages were not written. */
  #oldest: number | null = null;

  constructor(flushMs: number) {
    this.#flushMs = flushMs;
  }

  rest(ms: number): void {
    this.#now += ms;
    this.#waitedMs += ms;
  }

  /** A turn of `ms`; returns whether it was followed by a flush. */
  turn(ms: number, { isFresh = true } = {}): boolean {
    this.#now += ms;
    if (isFresh) this.#oldest ??= this.#now;
    if (this.pace.holds({ now: this.#now, waitedMs: this.#waitedMs, isFresh })) return false;
    this.flushCount += 1;
    this.heldMs = Math.max(this.heldMs, this.#now - (this.#oldest ?? this.#now));
    this.#oldest = null;
    this.#now += this.#flushMs;
    this.pace.handleFlushed(this.#now);
    return true;
  }
}

it('holds nothing where the loop rests between turns, however short', () => {
  const loop = new Loop(1);
  for (let i = 0; i < 100; i += 1) {
    loop.rest(1 / 64);
    expect(loop.turn(1 / 16)).toBe(true);
  }
  expect(loop.heldMs).toBe(0);
});

it('writes what the first turn after a rest has enqueued, however busy the loop was before', () => {
  const loop = new Loop(1);
  for (let i = 0; i < 100; i += 1) loop.turn(1 / 16);
  loop.turn(1 / 16, { isFresh: false });
  loop.rest(1 / 64);
  expect(loop.turn(1 / 16)).toBe(true);
});

it('lets turns without a rest share a flush, and holds nothing for longer than 2 ms', () => {
  const loop = new Loop(64);
  for (let i = 0; i < 1_000; i += 1) loop.turn(1 / 16);
  // One after the first turn, and then one after each thirty-third.
  expect(loop.flushCount).toBe(31);
  expect(loop.heldMs).toBe(2);
});

it('holds no longer than until a turn brings nothing more', () => {
  const loop = new Loop(1);
  loop.turn(1 / 16);
  expect(loop.turn(1 / 16)).toBe(false);
  expect(loop.turn(1 / 16)).toBe(false);
  expect(loop.turn(1 / 16, { isFresh: false })).toBe(true);
  expect(loop.heldMs).toBe(1 / 8);
});

it('does not wait for turns that take longer than it may hold', () => {
  const loop = new Loop(64);
  for (let i = 0; i < 10; i += 1) expect(loop.turn(4)).toBe(true);
});

it('holds nothing where nobody knows whether the loop rests', () => {
  const pace = new FlushPace();
  for (let now = 0; now < 1; now += 1 / 16) {
    expect(pace.holds({ now, waitedMs: Number.NaN, isFresh: true })).toBe(false);
    pace.handleFlushed(now + 64);
  }
});
