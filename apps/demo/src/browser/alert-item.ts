import type { Alert, Severity } from '../contract.ts';
import { timeOfDay } from '../time-text.ts';
import { drawing, element } from './element.ts';

const severityNames: Record<Severity, string> = { info: 'Info', warning: 'Warning', critical: 'Critical' };

// Shapes as well as colours: a disc, a triangle, a diamond.
const severityShapes: Record<Severity, string> = {
  info: 'M6 1a5 5 0 1 1 0 10a5 5 0 1 1 0-10z',
  warning: 'M6 .8L11.8 11H.2z',
  critical: 'M6 0l6 6l-6 6l-6-6z',
};

/** What is said of an alert, in the list and in a toast. */
export function alertBody(alert: Alert, ownId: string): HTMLElement[] {
  const to = alert.to === null ? 'to everyone' : alert.to === ownId ? 'to you' : 'to one person';
  const time = element('time', { datetime: new Date(alert.at).toISOString() }, timeOfDay(alert.at, Date.now()));
  return [
    element(
      'p',
      { class: 'alert-head' },
      element('span', { class: 'alert-severity' }, severityMark(alert.severity), severityNames[alert.severity]),
      element('span', {}, `${alert.from.userId === ownId ? 'you' : alert.from.name} ${to}`),
      time,
    ),
    element('p', { class: 'alert-text', dir: 'auto' }, alert.text),
  ];
}

function severityMark(severity: Severity): SVGElement {
  return drawing(
    'svg',
    { viewBox: '0 0 12 12', 'aria-hidden': 'true' },
    drawing('path', { d: severityShapes[severity] }),
  );
}
