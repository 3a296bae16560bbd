/** Line plots as SVG, logarithmic in x: one below the other in a single image that is readable on light and dark pages. */
import type { Plot, Series } from './findings.ts';
import { short } from './markdown.ts';

const WIDTH = 720;
const HEIGHT = 250;
const MARGIN = { left: 60, right: 110, top: 36, bottom: 42 };
const COLORS = ['#1a7f64', '#c2410c', '#4f46e5', '#a16207'];
const Y_TICKS = 4;
const GREY = '#7a7a7a';

export function svgOf(plots: readonly Plot[]): string {
  const height = HEIGHT * plots.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="${GREY}">`,
    '<title>How costs grow</title>',
    ...plots.map((plot, i) => `<g transform="translate(0 ${i * HEIGHT})">\n${drawn(plot)}\n</g>`),
    '</svg>\n',
  ].join('\n');
}

function drawn({ title, xLabel, yLabel, series }: Plot): string {
  const points = series.flatMap((one) => one.points);
  const xs = [...new Set(points.map(([x]) => x))].sort((a, b) => a - b);
  const [least = 1] = xs;
  const most = xs.at(-1) ?? 1;
  const top = ceiling(Math.max(...points.map(([, y]) => y)));
  const place = (x: number): number => {
    const share = most === least ? 0.5 : Math.log(x / least) / Math.log(most / least);
    return MARGIN.left + share * (WIDTH - MARGIN.left - MARGIN.right);
  };
  const level = (y: number): number => HEIGHT - MARGIN.bottom - (y / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const ticks = Array.from({ length: Y_TICKS + 1 }, (_, i) => (top * i) / Y_TICKS);
  return [
    text(MARGIN.left, 20, `${title}, ${yLabel}`, 'font-weight="600" font-size="13"'),
    ...ticks.flatMap((y) => [
      `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${fixed(level(y))}" y2="${fixed(level(y))}" stroke="${GREY}" stroke-opacity="0.3"/>`,
      text(MARGIN.left - 8, level(y) + 4, short(y), 'text-anchor="end"'),
    ]),
    ...xs.map((x) => text(place(x), HEIGHT - MARGIN.bottom + 18, x.toLocaleString('en'), 'text-anchor="middle"')),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 8, xLabel, 'text-anchor="middle"'),
    ...series.map((one, i) => line(one, COLORS[i % COLORS.length] as string, place, level)),
  ].join('\n');
}

function line(
  { label, points }: Series,
  color: string,
  place: (x: number) => number,
  level: (y: number) => number,
): string {
  const placed = points.map(([x, y]) => [fixed(place(x)), fixed(level(y))] as const);
  const [endX, endY] = placed.at(-1) ?? ['0', '0'];
  return [
    `<polyline fill="none" stroke="${color}" stroke-width="2" points="${placed.map((point) => point.join(',')).join(' ')}"/>`,
    ...placed.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${color}"/>`),
    text(Number(endX) + 8, Number(endY) + 4, label, `fill="${color}"`),
  ].join('\n');
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escaped}</text>`;
}

/** The next of 1, 2, 2.5, 5, 10, … that is not below. */
function ceiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= value) ?? 10;
  return step * power;
}

const fixed = (value: number): string => String(Math.round(value * 10) / 10);
