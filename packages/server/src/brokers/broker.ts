import type { Position } from '@runnel/protocol';

/** A message as it goes into a channel's log. */
export interface NewEntry {
  /** The event's name: nodes may run different versions of a contract, so numbers would not do. */
  readonly event: string;
  /** The payload as JSON, from `encodeData`: encoded once, for the log and for every subscriber. */
  readonly data: string;
  /** Public name of the session whose publish caused it. */
  readonly by?: string | undefined;
  /**
   * Of a `latestBy` event: what the message is about, as JSON. It comes of the schema's output, which only the node that broadcasts has:
   * `data` is the wire form of it. Absent: no other message takes the place of this one.
   */
  readonly key?: string | undefined;
}

/** A message as it stands in a channel's log. */
export interface LogEntry extends NewEntry {
  readonly offset: number;
  /** Offset of the entry before it, kept or not; 0 for the first. */
  readonly prev: number;
}

/** How much of a channel is kept; whichever bound is met first counts. */
export interface HistoryBounds {
  /** Entries. */
  readonly size: number;
  readonly ttlMs: number;
}

export interface BrokerPublishOptions {
  /** Null: nothing is kept, but offsets rise all the same, so that a gap shows. */
  readonly history: HistoryBounds | null;
  /** Within the broker's window the same key on the same channel is the same message: appended once, its position given again. */
  readonly idempotencyKey?: string | undefined;
}

export interface ReadQuery {
  /** Only entries after this position, the oldest first to be let in by `limit`. Without it the newest are. */
  readonly since?: Position | undefined;
  /** Only entries below this offset. */
  readonly before?: number | undefined;
  /** Entries at most. Default: all that are kept. */
  readonly limit?: number | undefined;
}

export interface LogRead {
  readonly epoch: string;
  /** By offset, rising. After a `since` of another epoch: from the oldest that is kept. */
  readonly entries: readonly LogEntry[];
  /** False where something stood between `since` and the first entry that is no longer kept, or where that cannot be known. */
  readonly complete: boolean;
  /** Offset of the newest message, kept or not; 0 where there was none. */
  readonly head: number;
}

/** What a node hears of a channel. Neither method throws. */
export interface BrokerListener {
  /** One message, as a rule in order and once; the listener puts up with gaps, repeats and disorder. */
  message(entry: LogEntry, epoch: string): void;
  /** A message of no log, which may be lost. */
  volatile(entry: NewEntry): void;
}

/**
 * The log of each channel and the fan-out between nodes (DESIGN §9). `describeBroker` in `test/brokers/broker-conformance.ts` is what
 * every implementation has to pass. Failures reject with `RunnelError` `broker_failed`.
 *
 * An *epoch* is one life of a channel's log: within it offsets rise by publishing and never return; when a broker loses or drops the
 * log of a channel, the next one has another epoch.
 */
export interface Broker {
  /** Appends and fans out as one step. Resolves when the broker has accepted the message. */
  publish(channel: string, entry: NewEntry, options: BrokerPublishOptions): Promise<Position>;
  /** Fans out without log, answer or promise. */
  send(channel: string, entry: NewEntry): void;
  read(channel: string, query: ReadQuery): Promise<LogRead>;
  /** The newest position of each channel that has a log; others are left out. */
  heads(channels: readonly string[]): Promise<ReadonlyMap<string, Position>>;
  /** Resolves when every message accepted from then on will reach the listener. Messages may reach it before. */
  subscribe(channel: string, listener: BrokerListener): Promise<void>;
  /** Nothing reaches the listener from then on. */
  unsubscribe(channel: string, listener: BrokerListener): void;
  close(): Promise<void>;
}
