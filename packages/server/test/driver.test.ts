import { expect, it } from 'vitest';
import { Driver, type Sleeper } from '../src/driver.ts';
import { FakeClock } from './transports/fake-clock.ts';

class Alarm implements Sleeper {
  at = Number.POSITIVE_INFINITY;
  readonly woken: number[] = [];

  nextTimeout(): number {
    return this.at;
  }
  handleTimeout(now: number): void {
    if (now < this.at) return;
    this.woken.push(now);
    this.at = Number.POSITIVE_INFINITY;
  }
}

function drive() {
  const clock = new FakeClock();
  const alarm = new Alarm();
  const flushes: number[] = [];
  const errors: unknown[] = [];
  const driver = new Driver({
    clock,
    sleepers: [alarm],
    flush: (now) => flushes.push(now),
    onError: (error) => errors.push(error),
  });
  return { clock, alarm, flushes, errors, driver };
}

it('has one timer, for what is due first', () => {
  const { clock, alarm, driver } = drive();
  alarm.at = 1_500;
  driver.rearm();
  driver.rearm();
  alarm.at = 1_200;
  driver.rearm();
  expect(clock.pending).toBe(1);
  clock.advance(200);
  expect(alarm.woken).toEqual([1_200]);
  expect(clock.pending).toBe(0);
});

it('keeps the timer where a deadline has moved away, and sets the next when it goes off', () => {
  const { clock, alarm, driver } = drive();
  alarm.at = 1_100;
  driver.rearm();
  alarm.at = 1_300;
  driver.rearm();
  clock.advance(100);
  expect(alarm.woken).toEqual([]);
  clock.advance(200);
  expect(alarm.woken).toEqual([1_300]);
});

it('flushes once for all that one turn enqueues, after the microtasks of that turn', async () => {
  const { driver, flushes } = drive();
  driver.requestFlush();
  await Promise.resolve();
  driver.requestFlush();
  expect(flushes).toEqual([]);
  await new Promise(setImmediate);
  expect(flushes).toHaveLength(1);
  driver.requestFlush();
  await new Promise(setImmediate);
  expect(flushes).toHaveLength(2);
});

it('reports what is thrown and goes on', () => {
  const { clock, alarm, driver, errors } = drive();
  alarm.handleTimeout = () => {
    alarm.at = Number.POSITIVE_INFINITY;
    throw new Error('a bug');
  };
  alarm.at = 1_001;
  driver.rearm();
  clock.advance(1);
  expect(errors).toEqual([new Error('a bug')]);
  alarm.at = 1_002;
  driver.rearm();
  expect(clock.pending).toBe(1);
});

it('lets turns share a flush while the loop does not rest, until one brings nothing more', () => {
  const turns: (() => void)[] = [];
  let now = 0;
  const flushes: number[] = [];
  const driver = new Driver({
    clock: { now: () => now, after: () => () => {}, defer: (run) => turns.push(run), waitedMs: () => 0 },
    sleepers: [],
    flush: () => {
      flushes.push(now);
      now += 1;
    },
    onError: () => {},
  });
  const endTurn = (isFresh: boolean): void => {
    if (isFresh) driver.requestFlush();
    now += 0.1;
    for (const run of turns.splice(0)) run();
  };
  endTurn(true);
  expect(flushes).toHaveLength(1);
  endTurn(true);
  endTurn(true);
  expect(flushes).toHaveLength(1);
  endTurn(false);
  expect(flushes).toHaveLength(2);
  expect(turns).toHaveLength(0);
});
