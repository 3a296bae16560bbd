import type { Attempt } from '@runnel/client';
import { shortDuration } from '../time-text.ts';
import { byId, element, setText } from './element.ts';
import type { LinkSample } from './link-monitor.ts';

const shownMax = 50;

/** What the client has tried so far and how it went, newest first. Drawn only while it is open. */
export class AttemptList {
  readonly #list = byId('attempts', HTMLOListElement);
  readonly #count = byId('attempts-count', HTMLElement);
  readonly #details = this.#list.closest('details');
  #drawn = '';

  show({ attempts }: LinkSample): void {
    setText(this.#count, String(attempts.length));
    if (this.#details?.open !== true) return;
    const latest = attempts.slice(-shownMax).reverse();
    const fingerprint = JSON.stringify(latest);
    if (fingerprint === this.#drawn) return;
    this.#drawn = fingerprint;
    this.#list.replaceChildren(...latest.map(row));
  }
}

function row({ at, transport, step, outcome, tookMs, reason }: Attempt): HTMLElement {
  const time = new Date(at).toLocaleTimeString([], { hour12: false });
  const verdict = `${step} ${outcome}`;
  return element(
    'li',
    { class: 'attempt', 'data-outcome': outcome },
    element('span', { class: 'attempt-at' }, time),
    element('span', {}, transport),
    element('span', { class: 'attempt-verdict' }, reason === '' ? verdict : `${verdict}: ${reason}`),
    element('span', { class: 'attempt-took' }, shortDuration(tookMs)),
  );
}
