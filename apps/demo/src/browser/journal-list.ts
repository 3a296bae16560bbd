import type { Journal, JournalEntry } from '../journal.ts';
import { byId, element } from './element.ts';

/** The journal of the connection, newest first. */
export class JournalList {
  readonly #journal: Journal;
  readonly #list = byId('journal', HTMLOListElement);
  #drawn = '';

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  show(): void {
    const entries = this.#journal.entries();
    const fingerprint = JSON.stringify(entries);
    if (fingerprint === this.#drawn) return;
    this.#drawn = fingerprint;
    this.#list.replaceChildren(...entries.map(row));
  }
}

function row({ at, tone, text, count }: JournalEntry): HTMLElement {
  const time = new Date(at);
  return element(
    'li',
    { class: 'entry', 'data-tone': tone },
    element('time', { datetime: time.toISOString() }, time.toLocaleTimeString([], { hour12: false })),
    element('span', {}, count === 1 ? text : `${text}, ${count === 2 ? 'twice' : `${count} times`}`),
  );
}
