import { expect, it } from 'vitest';
import { argumentsOf } from '../src/arguments.ts';
import { workloads } from '../src/workloads/roster.ts';

it('runs everything, for the record, unless told otherwise', () => {
  expect(argumentsOf([])).toMatchObject({ workloads, complete: true, profile: false, pace: { name: 'full' } });
});

it('leaves out of a quick run what takes long', () => {
  const quick = argumentsOf(['--quick']);
  expect(quick).toMatchObject({ complete: false, pace: { name: 'quick' } });
  expect(quick.workloads.length).toBeLessThan(workloads.length);
  expect(quick.workloads.every((workload) => workload.quick)).toBe(true);
});

it.each([[['--only', 'rooms,fan-out', '--windows', '3']], [['--only=rooms,fan-out', '--windows=3']]])(
  'takes %j',
  (args) => {
    const { workloads: chosen, pace, complete } = argumentsOf(args);
    expect(chosen.map(({ name }) => name)).toEqual(['fan-out', 'rooms']);
    expect([pace.rounds, complete]).toEqual([3, false]);
  },
);

it.each([
  [['--only', 'fanout'], "No workload 'fanout'"],
  [['--windows', '0'], '--windows needs'],
  [['--fast'], 'Unknown argument --fast'],
])('refuses %j', (args, message) => {
  expect(() => argumentsOf(args)).toThrow(message);
});
