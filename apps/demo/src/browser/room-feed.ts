import type { ChatMessage, Person } from '../contract.ts';
import type { Room } from '../rooms.ts';
import type { AppClient, RoomChannel } from './app-client.ts';
import { Outgoing } from './outgoing.ts';
import { randomId } from './random-id.ts';

export interface Member extends Person {
  /** False while their connection is lost but may come back. */
  readonly connected: boolean;
}

/** What a view is told of a feed. */
export interface FeedListener {
  onMessage(message: ChatMessage): void;
  onOutgoing(outgoing: Outgoing): void;
  onTyping(): void;
  onMembers(): void;
}

interface RoomFeedOptions {
  readonly client: AppClient;
  readonly room: Room;
  readonly person: () => Person;
  readonly readAt: number;
  readonly onChange: () => void;
  /** A message has come, with its place in the room's log. */
  readonly onOffset: (offset: number) => void;
}

const typingShownMs = 4_000;
const typingSaidEveryMs = 2_000;
const messagesMax = 1_000;

/** One room as this page knows it. All rooms are followed all the time; one of them is looked at. */
export class RoomFeed {
  readonly room: Room;
  readonly messages: ChatMessage[] = [];
  /** One's own messages that are not in `messages` yet, oldest first. */
  readonly outgoing: Outgoing[] = [];
  /** Set by the view that shows this room, null while none does. */
  listener: FeedListener | null = null;
  readonly #channel: RoomChannel;
  readonly #person: () => Person;
  readonly #onChange: () => void;
  readonly #onOffset: (offset: number) => void;
  // A message that its sender had to send again has the same id: it is shown once.
  readonly #seen = new Set<string>();
  // Who is typing, until when. Entries go when their time is over or their message has come.
  readonly #typing = new Map<string, { person: Person; timer: ReturnType<typeof setTimeout> }>();
  #typingSaidAt = Number.NEGATIVE_INFINITY;
  // Server time of the newest message that was looked at. Anything later is unread.
  #readAt: number;
  #unread = 0;

  constructor(options: RoomFeedOptions) {
    this.room = options.room;
    this.#person = options.person;
    this.#readAt = options.readAt;
    this.#onChange = options.onChange;
    this.#onOffset = options.onOffset;
    this.#channel = options.client.channel('room/:roomId', { roomId: options.room.id }, { rewind: 50 });
    this.#channel.on('message', (message, { offset }) => {
      if (offset !== null) this.#onOffset(offset);
      this.#takeMessage(message);
    });
    this.#channel.on('typing', (person) => this.#takeTyping(person));
    this.#channel.presence.onChange(() => {
      this.listener?.onMembers();
      this.#onChange();
    });
  }

  get unread(): number {
    return this.#unread;
  }

  get readAt(): number {
    return this.#readAt;
  }

  get members(): Member[] {
    return this.#channel.presence.members().map(({ data, connected }) => ({ ...data, connected }));
  }

  get typing(): Person[] {
    return [...this.#typing.values()].map(({ person }) => person);
  }

  enter(): void {
    // Being refused, or gone before it is done, shows in the list of those who are here.
    this.#channel.presence.enter({}).catch(() => {});
  }

  leave(): void {
    this.#channel.presence.leave().catch(() => {});
  }

  /** Says that everything up to the newest message has been looked at. */
  markRead(): void {
    this.#readAt = Math.max(this.#readAt, this.messages.at(-1)?.at ?? 0);
    this.#unread = 0;
    this.#onChange();
  }

  say(text: string): void {
    const outgoing = new Outgoing({
      id: randomId(),
      text,
      at: Date.now(),
      publish: (message) => this.#channel.publish('message', message),
    });
    this.outgoing.push(outgoing);
    this.#typingSaidAt = Number.NEGATIVE_INFINITY;
    this.sendAgain(outgoing);
  }

  sendAgain(outgoing: Outgoing): void {
    void outgoing.send(() => this.listener?.onOutgoing(outgoing));
  }

  sayTyping(now: number): void {
    if (now - this.#typingSaidAt < typingSaidEveryMs) return;
    this.#typingSaidAt = now;
    this.#channel.send('typing', this.#person());
  }

  #takeMessage(message: ChatMessage): void {
    if (this.#seen.has(message.id)) return;
    this.#seen.add(message.id);
    this.messages.push(message);
    if (this.messages.length > messagesMax) this.messages.shift();
    const own = this.outgoing.findIndex(({ id }) => id === message.id);
    if (own !== -1) this.outgoing.splice(own, 1);
    this.#stopTyping(message.from.userId);
    if (message.at > this.#readAt && message.from.userId !== this.#person().userId) this.#unread++;
    // A view that shows it marks it as read.
    this.listener?.onMessage(message);
    this.#onChange();
  }

  #takeTyping(person: Person): void {
    if (person.userId === this.#person().userId) return;
    clearTimeout(this.#typing.get(person.userId)?.timer);
    const timer = setTimeout(() => this.#stopTyping(person.userId), typingShownMs);
    this.#typing.set(person.userId, { person, timer });
    this.listener?.onTyping();
  }

  #stopTyping(userId: string): void {
    const typing = this.#typing.get(userId);
    if (typing === undefined) return;
    clearTimeout(typing.timer);
    this.#typing.delete(userId);
    this.listener?.onTyping();
  }
}
