import type { Person } from '../contract.ts';
import { typingText } from '../typing-text.ts';
import { Composer } from './composer.ts';
import { byId, setText } from './element.ts';
import { MessageList } from './message-list.ts';
import { PeopleList } from './people-list.ts';
import type { FeedListener, RoomFeed } from './room-feed.ts';

/** The room that is looked at: its messages, who is in it, who is typing, and where one writes. */
export class Chat implements FeedListener {
  readonly #messages: MessageList;
  readonly #people: PeopleList;
  readonly #composer: Composer;
  readonly #title = byId('room-title', HTMLElement);
  readonly #topic = byId('room-topic', HTMLElement);
  readonly #typing = byId('typing', HTMLElement);
  #feed: RoomFeed;

  constructor(feed: RoomFeed, person: () => Person) {
    this.#messages = new MessageList(person);
    this.#people = new PeopleList(person().userId);
    this.#composer = new Composer({
      onSend: (text) => this.#feed.say(text),
      onTyping: () => this.#feed.sayTyping(performance.now()),
    });
    this.#feed = feed;
    this.show(feed);
    document.addEventListener('visibilitychange', () => this.#markRead());
  }

  get feed(): RoomFeed {
    return this.#feed;
  }

  show(feed: RoomFeed): void {
    if (feed !== this.#feed) {
      this.#feed.listener = null;
      this.#feed.leave();
    }
    this.#feed = feed;
    feed.listener = this;
    feed.enter();
    setText(this.#title, feed.room.title);
    setText(this.#topic, feed.room.topic);
    this.#composer.show(feed.room);
    this.#messages.show(feed);
    this.onMembers();
    this.onTyping();
    this.#markRead();
  }

  onMessage(message: RoomFeed['messages'][number]): void {
    this.#messages.addMessage(message);
    this.#markRead();
  }

  onOutgoing(outgoing: RoomFeed['outgoing'][number]): void {
    this.#messages.updateOutgoing(outgoing);
  }

  onTyping(): void {
    setText(this.#typing, typingText(this.#feed.typing));
  }

  onMembers(): void {
    this.#people.show(this.#feed.members);
  }

  #markRead(): void {
    if (document.visibilityState === 'visible') this.#feed.markRead();
  }
}
