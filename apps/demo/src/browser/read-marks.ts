import type { RoomFeed } from './room-feed.ts';
import { readStored, store } from './storage.ts';

const key = 'read';

/** Up to when each room has been read, kept for as long as the tab: a reload makes nothing unread, and nothing read. */
export class ReadMarks {
  readonly #marks = new Map<string, number>();
  // A room that was never looked at: what was said before this page was opened is nobody's unread message.
  readonly #openedAt = Date.now();

  constructor() {
    try {
      for (const [room, at] of Object.entries(JSON.parse(readStored('session', key) ?? '{}'))) {
        if (typeof at === 'number') this.#marks.set(room, at);
      }
    } catch {
      // Not ours, or cut short: nothing is known then.
    }
  }

  of(roomId: string): number {
    return this.#marks.get(roomId) ?? this.#openedAt;
  }

  keep(feeds: readonly RoomFeed[]): void {
    const marks = feeds.map(({ room, readAt }) => [room.id, readAt] as const);
    store('session', key, JSON.stringify(Object.fromEntries(marks)));
  }
}
