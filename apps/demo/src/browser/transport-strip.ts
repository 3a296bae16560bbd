import type { Transport } from '@runnel/client';
import { byId, drawing, setText } from './element.ts';
import type { LinkSample } from './link-monitor.ts';

const lanes: readonly (readonly [Transport, string])[] = [
  ['websocket', 'WebSocket'],
  ['stream', 'Stream'],
  ['poll', 'Poll'],
];
const spanMs = 60_000;
const left = 74;
const laneHeight = 21;
const rateTop = lanes.length * laneHeight + 6;
const rateHeight = 34;

/** Rates are taken over at least this long: over less they are noise. */
const rateMs = 400;

interface Moment {
  readonly at: number;
  readonly transport: Transport | null;
}

interface Rate {
  readonly at: number;
  /** All frames until then, both ways. */
  readonly frames: number;
  readonly perSecond: number;
}

/** The last minute: which transport carried the session, when links were cut, and how much went over them. */
export class TransportStrip {
  readonly #svg = byId('strip', SVGSVGElement);
  readonly #rate = byId('strip-rate', HTMLElement);
  readonly #plot = drawing('g');
  // Oldest first; a moment more than a minute ago is dropped, but for one, which the line comes from.
  #moments: Moment[] = [];
  #cuts: number[] = [];
  #rates: Rate[] = [];

  constructor() {
    const names = lanes.map(([, title], lane) =>
      drawing('text', { class: 'strip-name', x: 0, y: laneY(lane) + 4 }, title),
    );
    const lines = lanes.map((_, lane) =>
      drawing('line', { class: 'strip-lane', x1: left, x2: '100%', y1: laneY(lane), y2: laneY(lane) }),
    );
    this.#svg.append(...names, ...lines, this.#plot);
  }

  markCut(at: number): void {
    this.#cuts.push(at);
  }

  show({ at, transport, framesUp, framesDown }: LinkSample): void {
    this.#moments.push({ at, transport });
    while ((this.#moments[1]?.at ?? at) < at - spanMs) this.#moments.shift();
    this.#cuts = this.#cuts.filter((cut) => cut > at - spanMs);
    this.#addRate(at, framesUp + framesDown);
    const width = this.#svg.clientWidth;
    if (width > left) this.#draw(at, width);
  }

  #addRate(at: number, frames: number): void {
    const last = this.#rates.at(-1) ?? { at: at - rateMs, frames };
    if (at - last.at < rateMs) return;
    const perSecond = ((frames - last.frames) * 1_000) / (at - last.at);
    this.#rates = [...this.#rates.filter((rate) => rate.at > at - spanMs), { at, frames, perSecond }];
    setText(this.#rate, `${Math.round(perSecond).toLocaleString()} frames/s`);
  }

  #draw(now: number, width: number): void {
    const x = (at: number) => Math.max(left, width - ((now - at) / spanMs) * (width - left)).toFixed(1);
    const use: string[] = [];
    const step: string[] = [];
    for (const [from, to] of pairs(this.#moments)) {
      const lane = laneOf(from.transport);
      if (lane === -1) continue;
      use.push(`M${x(from.at)} ${laneY(lane)}H${x(to.at)}`);
      const next = laneOf(to.transport);
      if (next !== -1 && next !== lane) step.push(`M${x(to.at)} ${laneY(lane)}V${laneY(next)}`);
    }
    const cuts = this.#cuts.map((at) =>
      drawing('line', { class: 'strip-cut', x1: x(at), x2: x(at), y1: 0, y2: rateTop - 4 }),
    );
    this.#plot.replaceChildren(
      drawing('path', { class: 'strip-step', d: step.join('') }),
      drawing('path', { class: 'strip-use', d: use.join('') }),
      ...cuts,
      drawing('path', { class: 'strip-rate', d: this.#ratePath(x, width) }),
    );
  }

  #ratePath(x: (at: number) => string, width: number): string {
    const [first] = this.#rates;
    if (first === undefined) return '';
    const highest = Math.max(10, ...this.#rates.map(({ perSecond }) => perSecond));
    const bottom = rateTop + rateHeight;
    const y = (perSecond: number) => (bottom - (perSecond / highest) * rateHeight).toFixed(1);
    const points = this.#rates.map(({ at, perSecond }) => `L${x(at)} ${y(perSecond)}`);
    return `M${x(first.at)} ${bottom}${points.join('')}H${width}V${bottom}`;
  }
}

function laneY(lane: number): number {
  return lane * laneHeight + laneHeight / 2;
}

function laneOf(transport: Transport | null): number {
  return lanes.findIndex(([name]) => name === transport);
}

function pairs<T>(list: readonly T[]): (readonly [T, T])[] {
  return list.slice(1).map((to, index) => [list[index] as T, to] as const);
}
