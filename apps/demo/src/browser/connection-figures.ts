import { elapsed, shortDuration } from '../time-text.ts';
import { byId, element, setText } from './element.ts';
import type { LinkSample } from './link-monitor.ts';

const unknown = '–';

const figures: readonly (readonly [name: string, title: string, text: (sample: LinkSample) => string])[] = [
  ['trip', 'Round trip', ({ tripMs }) => (tripMs === null ? unknown : shortDuration(tripMs))],
  ['session-age', 'Session age', ({ sessionSince, at }) => age(sessionSince, at)],
  ['transport-age', 'On transport', ({ transportSince, at }) => age(transportSince, at)],
  ['frames-up', 'Frames up', ({ framesUp }) => framesUp.toLocaleString()],
  ['frames-down', 'Frames down', ({ framesDown }) => framesDown.toLocaleString()],
  ['resumes', 'Resumes', ({ resumes }) => resumes.toLocaleString()],
];

/** The connection in numbers. */
export class ConnectionFigures {
  readonly #cells = figures.map(([name, title, text]) => {
    const value = element('dd', { 'data-figure': name }, unknown);
    byId('figures', HTMLElement).append(element('div', {}, element('dt', {}, title), value));
    return { value, text };
  });

  show(sample: LinkSample): void {
    for (const { value, text } of this.#cells) setText(value, text(sample));
  }
}

function age(since: number | null, now: number): string {
  return since === null ? unknown : elapsed(now - since);
}
