import { describe, expect, test } from 'vitest';
import { Clock } from '../src/clock.ts';

function clocks() {
  const time = { monotonic: 5_000, wall: 1_000_000 };
  const clock = new Clock({ monotonicMs: () => time.monotonic, wallMs: () => time.wall });
  const pass = (monotonic: number, wall = monotonic) => {
    time.monotonic += monotonic;
    time.wall += wall;
    return clock.now();
  };
  return { clock, pass };
}

describe('Clock', () => {
  test('begins at the time of day and follows the monotonic clock', () => {
    const { clock, pass } = clocks();
    expect(clock.now()).toBe(1_000_000);
    expect(pass(100, 103)).toBe(1_000_100);
    expect(pass(0.25, 0)).toBe(1_000_100.25);
    expect(clock.takeJump()).toBe(false);
  });

  test('goes on while the machine sleeps, and says so once', () => {
    const { clock, pass } = clocks();
    expect(pass(10, 60_010)).toBe(1_060_010);
    expect(clock.takeJump()).toBe(true);
    expect(clock.takeJump()).toBe(false);
    expect(pass(10)).toBe(1_060_020);
    expect(clock.takeJump()).toBe(false);
  });

  test('never goes back when the time of day is set back, and still sees the next sleep', () => {
    const { clock, pass } = clocks();
    expect(pass(10, -3_600_000)).toBe(1_000_010);
    expect(clock.takeJump()).toBe(false);
    expect(pass(0, 5_000)).toBe(1_005_010);
    expect(clock.takeJump()).toBe(true);
  });
});
