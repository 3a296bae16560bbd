import { expect, it } from 'vitest';
import { svgOf } from '../src/plot.ts';

const plot = {
  title: 'Cost < before & after',
  xLabel: 'connections',
  yLabel: 'µs',
  series: [
    {
      label: 'Runnel',
      points: [
        [10, 5],
        [100, 5],
        [1_000, 10],
      ] as const,
    },
    {
      label: 'ws',
      points: [
        [10, 10],
        [100, 10],
        [1_000, 10],
      ] as const,
    },
  ],
};

const linesIn = (svg: string): string[] => [...svg.matchAll(/points="([^"]+)"/g)].map(([, points = '']) => points);

it('draws a line for each series, its sizes evenly apart', () => {
  const [runnel = '', ws = ''] = linesIn(svgOf([plot]));
  const [[x1 = 0, y1], [x2 = 0], [x3 = 0, y3]] = runnel.split(' ').map((point) => point.split(',').map(Number)) as [
    number[],
    number[],
    number[],
  ];
  expect(x2 - x1).toBeCloseTo(x3 - x2, 1);
  // Upwards on the page is less.
  expect(y3).toBeLessThan(y1 as number);
  expect(new Set(ws.split(' ').map((point) => point.split(',')[1])).size).toBe(1);
});

it('labels what it shows, and escapes it', () => {
  const svg = svgOf([plot]);
  for (const text of ['Cost &lt; before &amp; after', '>Runnel<', '>ws<', '>1,000<', '>connections<'])
    expect(svg).toContain(text);
});

it('puts plots below each other', () => {
  const svg = svgOf([plot, plot]);
  expect(linesIn(svg)).toHaveLength(4);
  expect([...svg.matchAll(/translate\(0 (\d+)\)/g)].map(([, y]) => Number(y))).toEqual([0, 250]);
  expect(svg).toContain('viewBox="0 0 720 500"');
});

it('survives a single point, and one without a figure', () => {
  const svg = svgOf([{ ...plot, series: [{ label: 'one', points: [[10, 0]] }] }]);
  expect(svg).not.toContain('NaN');
});
