import type { BrokerListener, HistoryBounds, LogEntry, LogRead, NewEntry, ReadQuery } from './broker.ts';

/** What an entry takes beyond its text, roughly. */
const ENTRY_BYTES = 200;

/** One channel in memory: its entries within their bounds, its head, and who listens. */
export class MemoryLog {
  readonly epoch: string;
  readonly listeners: Set<BrokerListener> = new Set();
  /** Offset of the newest message. */
  head = 0;
  /** When it was last published to or listened to. */
  touchedAt: number;
  /** Kept entries are `#kept[#start]` … without a hole; slots below `#start` are spent and cut off in bulk. */
  #kept: ({ readonly entry: LogEntry; readonly at: number } | undefined)[] = [];
  #start = 0;
  #bytes = 0;
  /** As the last publish said. */
  #bounds: HistoryBounds | null = null;

  constructor(epoch: string, now: number) {
    this.epoch = epoch;
    this.touchedAt = now;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#kept.length - this.#start;
  }

  append(added: NewEntry, bounds: HistoryBounds | null, now: number): LogEntry {
    // One by one: a spread would cost more than all the rest.
    const { event, data, by, key } = added;
    const entry: LogEntry = { event, data, by, key, offset: this.head + 1, prev: this.head };
    this.head = entry.offset;
    this.touchedAt = now;
    this.#bounds = bounds;
    if (bounds !== null) {
      this.#kept.push({ entry, at: now });
      this.#bytes += bytesOf(entry);
    }
    this.trim(now);
    return entry;
  }

  /** Forgets what is beyond the bounds. */
  trim(now: number): void {
    const size = this.#bounds?.size ?? 0;
    const ttlMs = this.#bounds?.ttlMs ?? 0;
    for (;;) {
      const oldest = this.#kept[this.#start];
      if (oldest === undefined || (this.size <= size && now < oldest.at + ttlMs)) break;
      this.dropOldest();
    }
  }

  dropOldest(): void {
    const oldest = this.#kept[this.#start];
    if (oldest === undefined) return;
    this.#bytes -= bytesOf(oldest.entry);
    this.#kept[this.#start] = undefined;
    this.#start += 1;
    if (this.#start > 32 && this.#start * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#start);
      this.#start = 0;
    }
  }

  read({ since, before, limit }: ReadQuery, now: number): LogRead {
    this.trim(now);
    const { epoch, head } = this;
    // Offsets have no holes here: the entry with offset o stands o − floor − 1 places after the oldest.
    const floor = head - this.size;
    const known = since === undefined || (since.epoch === epoch && since.offset <= head);
    const after = Math.max(floor, since !== undefined && known ? since.offset : 0);
    const until = Math.max(after, Math.min(head, before === undefined ? head : before - 1));
    const count = Math.min(until - after, limit ?? Number.POSITIVE_INFINITY);
    const from = since === undefined ? until - count : after;
    const first = this.#start + from - floor;
    const entries = this.#kept.slice(first, first + count).flatMap((kept) => (kept === undefined ? [] : [kept.entry]));
    return { epoch, head, entries, complete: known && (since === undefined || since.offset >= floor) };
  }
}

const bytesOf = ({ data, event, key = '' }: LogEntry): number => data.length + event.length + key.length + ENTRY_BYTES;
