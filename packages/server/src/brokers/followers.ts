import type { BrokerListener, LogEntry, NewEntry } from './broker.ts';
import type { PresenceAnnouncement } from './nodes.ts';

/** The broker's own subscription to a channel. */
export interface ChannelFeed {
  /** Resolves when everything accepted from then on comes. */
  open(channel: string): Promise<void>;
  close(channel: string): void;
}

interface Followed {
  readonly listeners: Set<BrokerListener>;
  readonly opened: Promise<void>;
}

/** Who of this process listens to which channel. The broker is asked for a channel once, and brings each message once, however many they are. */
export class Followers {
  readonly #feed: ChannelFeed;
  readonly #channels = new Map<string, Followed>();

  constructor(feed: ChannelFeed) {
    this.#feed = feed;
  }

  async add(channel: string, listener: BrokerListener): Promise<void> {
    const known = this.#channels.get(channel);
    const followed = known ?? { listeners: new Set(), opened: this.#feed.open(channel) };
    if (known === undefined) this.#channels.set(channel, followed);
    followed.listeners.add(listener);
    try {
      await followed.opened;
    } catch (error) {
      if (this.#channels.get(channel) === followed) {
        this.#channels.delete(channel);
        this.#feed.close(channel);
      }
      throw error;
    }
  }

  remove(channel: string, listener: BrokerListener): void {
    const followed = this.#channels.get(channel);
    if (!followed?.listeners.delete(listener) || followed.listeners.size > 0) return;
    this.#channels.delete(channel);
    this.#feed.close(channel);
  }

  message(channel: string, entry: LogEntry, epoch: string): void {
    for (const listener of this.#listeners(channel)) listener.message(entry, epoch);
  }

  volatile(channel: string, entry: NewEntry): void {
    for (const listener of this.#listeners(channel)) listener.volatile(entry);
  }

  presence(channel: string, announcement: PresenceAnnouncement): void {
    for (const listener of this.#listeners(channel)) listener.presence?.(announcement);
  }

  clear(): void {
    this.#channels.clear();
  }

  #listeners(channel: string): Iterable<BrokerListener> {
    return this.#channels.get(channel)?.listeners ?? [];
  }
}
