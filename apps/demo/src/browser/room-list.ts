import { byId, element, setText } from './element.ts';
import type { RoomFeed } from './room-feed.ts';

interface Entry {
  readonly feed: RoomFeed;
  readonly button: HTMLButtonElement;
  readonly badge: HTMLElement;
  readonly count: HTMLElement;
}

/** The rooms, each with how much in it is unread. */
export class RoomList {
  readonly #entries: Entry[];

  constructor(feeds: readonly RoomFeed[], onSelect: (feed: RoomFeed) => void) {
    this.#entries = feeds.map((feed) => {
      const count = element('span');
      const badge = element(
        'span',
        { class: 'badge', hidden: true },
        count,
        element('span', { class: 'visually-hidden' }, ' unread'),
      );
      const { id, title } = feed.room;
      const button = element(
        'button',
        { class: 'room', type: 'button', 'data-testid': 'room', 'data-room': id },
        title,
        badge,
      );
      button.addEventListener('click', () => onSelect(feed));
      return { feed, button, badge, count };
    });
    byId('rooms', HTMLUListElement).append(...this.#entries.map(({ button }) => element('li', {}, button)));
  }

  show(current: RoomFeed): void {
    for (const { feed, button, badge, count } of this.#entries) {
      if (feed === current) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
      const { unread } = feed;
      button.dataset['unread'] = String(unread > 0);
      badge.hidden = unread === 0;
      setText(count, unread > 99 ? '99+' : String(unread));
    }
  }
}
