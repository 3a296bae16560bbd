import type { Position } from '@runnel/protocol';
import type { BrokerNodes, PresenceAnnouncement } from './nodes.ts';

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
  /**
   * The channel's bounds, as its publishes have them: brokers that keep logs of different bounds apart find the log by it. Default: as this
   * broker was last told of the channel, or null.
   */
  readonly history?: HistoryBounds | null | undefined;
}

export interface LogRead {
  readonly epoch: string;
  /** By offset, rising. After a `since` of another epoch: from the oldest that is kept. */
  readonly entries: readonly LogEntry[];
  /** False where something stood between `since` and the first entry that is no longer kept, or where that cannot be known. */
  readonly complete: boolean;
  /** Offset of the newest message, kept or not. Where there was none: 0, or an offset below that of the first to come. */
  readonly head: number;
}

/** What a node hears of a channel. No method throws. */
export interface BrokerListener {
  /** One message, as a rule in order and once; the listener puts up with gaps, repeats and disorder. */
  message(entry: LogEntry, epoch: string): void;
  /** A message of no log, which may be lost. */
  volatile(entry: NewEntry): void;
  /** Somebody has come, changed or left, as by `BrokerNode`; may be lost. */
  presence?(announcement: PresenceAnnouncement): void;
}

/** Hears of trouble between this process and the broker. */
export interface BrokerWatcher {
  /** The broker is out of reach: calls fail with `broker_failed`, and messages may be missed, until `restored`. */
  lost(cause: unknown): void;
  /** It is there again and every channel is listened to, but messages may be missing: time to look at `heads`. */
  restored(): void;
}

/**
 * The log of each channel and the fan-out between nodes (DESIGN §9). `describeBroker` in `test/brokers/broker-conformance.ts` is what
 * every implementation has to pass. Failures reject with `RunnelError` `broker_failed`.
 *
 * An *epoch* is one life of a channel's log: within it offsets rise by publishing and never return; when a broker loses or drops the
 * log of a channel, the next one has another epoch. Offsets may be sparse: which entry follows on which is said by `prev`.
 *
 * docs/BROKERS.md says what each implementation promises and what not.
 */
export interface Broker {
  /** Appends and fans out as one step. Resolves when the broker has accepted the message. */
  publish(channel: string, entry: NewEntry, options: BrokerPublishOptions): Promise<Position>;
  /** Fans out without log, answer or promise. */
  send(channel: string, entry: NewEntry): void;
  read(channel: string, query: ReadQuery): Promise<LogRead>;
  /**
   * The newest position of each channel of which there is a message, or was one lately: others are left out. A channel is named as long as
   * its messages are kept, and ten minutes longer.
   */
  heads(channels: readonly string[]): Promise<ReadonlyMap<string, Position>>;
  /** Resolves when every message accepted from then on will reach the listener. Messages may reach it before. */
  subscribe(channel: string, listener: BrokerListener): Promise<void>;
  /** Nothing reaches the listener from then on. */
  unsubscribe(channel: string, listener: BrokerListener): void;
  /** Tells of trouble until the function that it returns is called. Absent: there is none. */
  watch?(watcher: BrokerWatcher): () => void;
  /** The nodes that share the broker. Absent: it is for one node. */
  readonly nodes?: BrokerNodes;
  close(): Promise<void>;
}
