import { describe, expect, it } from 'vitest';
import type { Case } from '../src/findings.ts';
import { caseResult } from '../src/results.ts';

/** Three rounds; in the second the whole machine was slow. */
const found: Case = {
  name: 'a case',
  unit: 'µs',
  baseline: 'ws',
  compared: 3,
  rounds: [
    new Map([
      ['Runnel', 6],
      ['ws', 10],
    ]),
    new Map([
      ['Runnel', 70],
      ['ws', 100],
    ]),
    new Map([
      ['Runnel', 8],
      ['ws', 10],
    ]),
  ],
  targets: [
    { of: 'Runnel', to: 'ws', max: 0.7 },
    { of: 'Runnel', to: 'ws', max: 0.69 },
    { of: 'Runnel', to: null, max: 8, aim: 5 },
  ],
};

describe('caseResult', () => {
  const result = caseResult(found);

  it('takes the median of the ratios, not the ratio of the medians', () => {
    expect(result.scores.find(({ label }) => label === 'Runnel')).toMatchObject({
      figure: { median: 8 },
      ratio: { median: 0.7, min: 0.6, max: 0.8 },
    });
    expect(result.scores.find(({ label }) => label === 'ws')?.ratio).toMatchObject({ min: 1, max: 1 });
  });

  it('says which targets are met', () => {
    expect(result.verdicts.map(({ measured, pass }) => [measured, pass])).toEqual([
      [0.7, true],
      [0.7, false],
      [8, true],
    ]);
  });

  it('gives no ratios where there is no baseline', () => {
    expect(caseResult({ ...found, baseline: null, targets: [] }).scores[0]?.ratio).toBeNull();
  });

  it('refuses a target of somebody who did not take part', () => {
    expect(() => caseResult({ ...found, targets: [{ of: 'Runnel', to: 'nobody', max: 1 }] })).toThrow('nobody');
  });
});
