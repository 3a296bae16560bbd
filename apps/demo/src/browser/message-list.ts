import type { ChatMessage, Person } from '../contract.ts';
import { byId } from './element.ts';
import { MessageRow } from './message-row.ts';
import type { Outgoing } from './outgoing.ts';
import type { RoomFeed } from './room-feed.ts';

const nearBottomPx = 80;

/** The messages of the room that is looked at: those that the room has shown, then one's own that are on their way. */
export class MessageList {
  readonly #list = byId('messages', HTMLOListElement);
  readonly #scroll = byId('message-scroll', HTMLElement);
  readonly #empty = byId('messages-empty', HTMLElement);
  readonly #newer = byId('newer', HTMLButtonElement);
  readonly #person: () => Person;
  #feed: RoomFeed | null = null;
  #rows: MessageRow[] = [];
  // Rows of #feed.outgoing, in the same order. They stand below all of #rows.
  #waiting: MessageRow[] = [];

  constructor(person: () => Person) {
    this.#person = person;
    this.#newer.addEventListener('click', () => this.scrollToEnd());
    this.#scroll.addEventListener('scroll', () => {
      if (this.#isNearEnd()) this.#newer.hidden = true;
    });
    new ResizeObserver(() => this.scrollToEnd()).observe(this.#scroll);
  }

  show(feed: RoomFeed): void {
    this.#feed = feed;
    this.#rows = [];
    this.#waiting = [];
    this.#list.replaceChildren();
    for (const message of feed.messages) this.#append(this.#rowOf(message));
    for (const outgoing of feed.outgoing) this.updateOutgoing(outgoing);
    this.scrollToEnd();
    this.#showEmpty();
  }

  addMessage(message: ChatMessage): void {
    const follow = this.#isNearEnd();
    const waiting = this.#waiting.findIndex(({ id }) => id === message.id);
    const [row = this.#rowOf(message)] = waiting === -1 ? [] : this.#waiting.splice(waiting, 1);
    row.setSent(message.at);
    this.#append(row);
    this.#showEmpty();
    if (follow) this.scrollToEnd();
    else this.#newer.hidden = false;
  }

  updateOutgoing(outgoing: Outgoing): void {
    let row = this.#waiting.find(({ id }) => id === outgoing.id);
    if (row === undefined) {
      const feed = this.#feed;
      row = new MessageRow({
        id: outgoing.id,
        from: this.#person(),
        text: outgoing.text,
        at: outgoing.at,
        self: true,
        onRetry: () => feed?.sendAgain(outgoing),
      });
      row.follow(this.#waiting.at(-1) ?? this.#rows.at(-1));
      this.#waiting.push(row);
      this.#list.append(row.element);
    }
    row.setDelivery(outgoing.delivery);
    this.#showEmpty();
    this.scrollToEnd();
  }

  scrollToEnd(): void {
    this.#newer.hidden = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #rowOf(message: ChatMessage): MessageRow {
    const row = new MessageRow({ ...message, self: message.from.userId === this.#person().userId });
    row.setSent(message.at);
    return row;
  }

  #append(row: MessageRow): void {
    row.follow(this.#rows.at(-1));
    this.#rows.push(row);
    const [firstWaiting] = this.#waiting;
    // A row that is in its place already is not moved: moving it would make a screen reader say it again.
    if (row.element.isConnected && row.element.nextSibling === (firstWaiting?.element ?? null)) return;
    this.#list.insertBefore(row.element, firstWaiting?.element ?? null);
    firstWaiting?.follow(row);
  }

  #isNearEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < nearBottomPx;
  }

  #showEmpty(): void {
    this.#empty.hidden = this.#list.childElementCount > 0;
  }
}
