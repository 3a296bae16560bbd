import { describe, expect, it } from 'vitest';
import { BEGIN, END, inserted, markdownOf, short, table } from '../src/markdown.ts';
import { caseResult, type Results } from '../src/results.ts';

const results: Results = {
  command: 'npm run bench',
  date: '2026-01-02T03:04:05.000Z',
  commit: 'abc1234',
  node: 'v20.0.0',
  kernel: '6.0',
  cpu: '2 × CPU',
  load: [0.5, 1.25],
  seconds: 600,
  versions: ['Runnel', 'ws 8.0.0'],
  workloads: [
    {
      name: 'fan-out',
      title: 'Fan-out',
      about: 'What it is.',
      seconds: 9,
      failure: null,
      plots: [],
      cases: [
        caseResult({
          name: '64 B',
          unit: 'µs',
          baseline: 'ws',
          compared: 1_234,
          rounds: [
            new Map([
              ['Runnel', 6],
              ['ws', 10],
              ['net', 5.5],
            ]),
            new Map([
              ['Runnel', 7],
              ['ws', 10],
              ['net', 5.5],
            ]),
          ],
          targets: [
            { of: 'Runnel', to: 'ws', max: 0.65 },
            { of: 'Runnel', to: null, max: 6, aim: 5 },
            { of: 'Runnel', to: 'ws', max: 0.5, floor: 'net' },
            { of: 'Runnel', to: 'ws', max: 0.6, floor: 'net' },
          ],
        }),
      ],
    },
  ],
};

describe('markdownOf', () => {
  const markdown = markdownOf(results, 'growth.svg');

  it('names command, date, versions and machine', () => {
    for (const part of ['`npm run bench`', '2026-01-02', 'abc1234', 'v20.0.0', '2 × CPU', 'ws 8.0.0', '600 s'])
      expect(markdown).toContain(part);
  });

  it('says of each target whether it is met', () => {
    expect(markdown).toContain('**1 of 4 targets are met.**');
    expect(markdown).toContain('| Fan-out | 64 B | Runnel ÷ ws | ≤ 0.65 | 0.650 |  | met |');
    expect(markdown).toContain('| Fan-out | 64 B | Runnel | ≤ 6, aim 5 | 6.50 |  | **missed** |');
  });

  it('says which of those that are missed nobody can meet', () => {
    expect(markdown).toContain('are met.** 1 of the others is less than the floor');
    expect(markdown).toContain('| Fan-out | 64 B | Runnel ÷ ws | ≤ 0.5 | 0.650 | 0.550 | **missed** |');
    expect(markdown).toContain('| Fan-out | 64 B | Runnel ÷ ws | ≤ 0.6 | 0.650 | 0.550 | **missed** |');
  });

  it('gives figures with their spread', () => {
    expect(markdown).toContain('| Runnel | 6.50 (6.25–6.75) | 0.650 (0.625–0.675) |');
    expect(markdown).toContain('| ws | 10.0 | 1.00 |');
    expect(markdown).toContain('1,234 contents compared');
  });

  it('says what has failed', () => {
    const workloads = results.workloads.map((workload) => ({ ...workload, failure: 'a message was lost' }));
    expect(markdownOf({ ...results, workloads }, null)).toContain('**Failed: a message was lost**');
    expect(markdown).not.toContain('Failed');
  });

  it('shows the plots', () => {
    expect(markdown).toContain('](growth.svg)');
    expect(markdownOf(results, null)).not.toContain('![');
  });
});

describe('inserted', () => {
  it('replaces what stands between the markers, and nothing else', () => {
    const once = inserted(`before\n${BEGIN}\nold\n${END}\nafter`, 'new');
    expect(once).toBe(`before\n${BEGIN}\n\nnew\n\n${END}\nafter`);
    expect(inserted(once, 'new')).toBe(once);
  });

  it('refuses a document without markers', () => {
    expect(() => inserted('nothing', 'new')).toThrow(BEGIN);
  });
});

it('table escapes what would end a cell', () => {
  expect(table(['a', 'b'], [['1|2', '3']])).toBe('| a | b |\n| --- | --- |\n| 1\\|2 | 3 |');
});

it.each([
  [0.1234, '0.123'],
  [1.239, '1.24'],
  [12.34, '12.3'],
  [12_345.6, '12,346'],
  [Number.NaN, '–'],
])('short(%d) is %s', (value, text) => {
  expect(short(value)).toBe(text);
});
