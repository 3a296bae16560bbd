import { avatar } from './avatar.ts';
import { byId, element, setText } from './element.ts';
import type { Member } from './room-feed.ts';

/** Those who are in the room that is looked at. */
export class PeopleList {
  readonly #list = byId('people', HTMLUListElement);
  readonly #count = byId('people-count', HTMLElement);
  readonly #ownId: string;

  constructor(ownId: string) {
    this.#ownId = ownId;
  }

  show(members: readonly Member[]): void {
    const sorted = [...members].sort(
      (a, b) => Number(b.userId === this.#ownId) - Number(a.userId === this.#ownId) || a.name.localeCompare(b.name),
    );
    setText(this.#count, sorted.length === 0 ? '' : String(sorted.length));
    this.#list.replaceChildren(...sorted.map((member) => this.#row(member)));
  }

  #row(member: Member): HTMLElement {
    const row = element(
      'li',
      { class: 'person', 'data-user': member.userId, 'data-connected': String(member.connected) },
      avatar(member),
      element('span', { class: 'person-name' }, member.name),
    );
    const note = member.userId === this.#ownId ? 'you' : member.connected ? '' : 'connection lost';
    if (note !== '') row.append(element('span', { class: 'person-note' }, note));
    return row;
  }
}
