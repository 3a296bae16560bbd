import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FlowRuns } from '../../src/server/flow-runs.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function channelOf(numbers: number[]): Parameters<FlowRuns['start']>[2] {
  const broadcast = async (event: string, data: object) => {
    if (event === 'number' && 'n' in data) numbers.push(Number(data.n));
    return null;
  };
  return { broadcast } as never;
}

it('sends every number once, in order, at the rate that was asked for', () => {
  const numbers: number[] = [];
  const runs = new FlowRuns();
  runs.start('run', { count: 1_000, perSecond: 500 }, channelOf(numbers));
  vi.advanceTimersByTime(1_000);
  expect(numbers).toHaveLength(500);
  vi.advanceTimersByTime(5_000);
  expect(numbers).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  runs.stopAll();
});

it('says what came up, and counts what did not as missing', () => {
  const runs = new FlowRuns();
  runs.start('run', { count: 4, perSecond: 500 }, channelOf([]));
  for (const n of [0, 1, 1, 3]) runs.take('run', n);
  vi.advanceTimersByTime(100);
  const received = { received: 3, missing: 1, repeated: 1, disordered: 0 };
  expect(runs.state('run')).toEqual({ sent: 4, received });
  runs.stopAll();
});

it('stops when it is told to, and knows nothing of the run then', () => {
  const numbers: number[] = [];
  const runs = new FlowRuns();
  runs.start('run', { count: 1_000, perSecond: 500 }, channelOf(numbers));
  vi.advanceTimersByTime(100);
  runs.stop('run');
  const sent = numbers.length;
  vi.advanceTimersByTime(1_000);
  expect(() => runs.take('run', 0)).toThrow('over, or at another node');
  expect(numbers).toHaveLength(sent);
  expect(runs.state('run').received.received).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

it('ends by itself a run that nobody stops', () => {
  const runs = new FlowRuns();
  runs.start('run', { count: 100_000, perSecond: 1 }, channelOf([]));
  vi.advanceTimersByTime(11 * 60_000);
  expect(vi.getTimerCount()).toBe(0);
});

it('ends the oldest where there are too many', () => {
  const runs = new FlowRuns();
  for (let i = 0; i < 150; i++) runs.start(`run-${i}`, { count: 1, perSecond: 1 }, channelOf([]));
  expect(vi.getTimerCount()).toBe(100);
  runs.take('run-149', 0);
  expect(() => runs.take('run-0', 0)).toThrow('over, or at another node');
  expect(runs.state('run-149').received.received).toBe(1);
  runs.stopAll();
});
