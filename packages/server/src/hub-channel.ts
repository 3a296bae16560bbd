/**
 * One channel on one node: what comes from the broker goes out to its subscriptions in the order of offsets, encoded once.
 *
 * A channel is *opening* until the broker delivers to it and its head is known, then *open*, and *closed* once the last subscription has
 * left. `head` is the newest offset handed out here. A message above `head` whose `prev` is above it too came too early: others before it
 * are late or lost, so the log is read from `head` first. What cannot be had even so stays a gap that subscribers see by `prev`
 * (PROTOCOL §5.16). A message that no other follows on shows by the head that the broker names. Subscriptions that are still catching up
 * are not sent live messages; they find the latest in `recent`.
 */
import {
  type AppDownFrame,
  type CompiledEvent,
  type Position,
  type ResolvedChannel,
  RunnelError,
  Type,
} from '@runnel/protocol';
import type { BrokerListener, LogEntry, LogRead, NewEntry, ReadQuery } from './brokers/broker.ts';
import type { PresenceAnnouncement } from './brokers/nodes.ts';
import type { Hub } from './hub.ts';
import type { LiveMessage } from './live-message.ts';
import { RecentMessages } from './recent-messages.ts';
import type { SharedLine } from './shared-line.ts';
import type { Subscription } from './subscription.ts';

/** Entries read from the log at a time. */
export const PAGE_ENTRIES = 256;
/** Messages that wait while the log is read for what should come before them; beyond it they are read from the log as well. */
const EARLY_MAX = 1_024;

/** How long a broker names the head of a channel without history at least, ms. */
const FORGOTTEN_MS = 600_000;

export class HubChannel implements BrokerListener {
  readonly resolved: ResolvedChannel;
  /** PROTOCOL §5.17 */
  readonly n: number;
  /** Whether messages wait while a session is slow, and some of them may be dropped (PROTOCOL §5.23). */
  readonly lossy: boolean;
  readonly recent: RecentMessages = new RecentMessages();
  readonly #hub: Hub;
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #epoch = '';
  #head = 0;
  /** Every subscription that has joined and not left; a *subscriber* is one that was answered `subscribed`, which it says by `active`. */
  readonly #joined = new Set<Subscription>();
  #subscriberCount = 0;
  /** Messages that came before their predecessors; null while none is missing. */
  #early: LogEntry[] | null = null;
  /** Highest offset heard of while opening. */
  #heard = 0;
  /** The head that the broker named last, of a channel without a log to read it from. */
  #named = 0;

  constructor(hub: Hub, resolved: ResolvedChannel, n: number) {
    this.#hub = hub;
    this.resolved = resolved;
    this.n = n;
    const { onSlow, events } = resolved.channel;
    this.lossy = onSlow === 'drop-oldest' || events.some(({ kind }) => kind === 'latest');
    void this.#open();
  }

  get name(): string {
    return this.resolved.name;
  }
  get epoch(): string {
    return this.#epoch;
  }
  get head(): number {
    return this.#head;
  }
  get subscriberCount(): number {
    return this.#subscriberCount;
  }

  // ——— subscriptions ———

  join(subscription: Subscription): void {
    this.#joined.add(subscription);
    if (this.#state === 'open') subscription.start(this);
  }

  /** One that has joined is answered: presence and volatile messages reach it from here on, messages above its `liveFrom`. */
  admitted(): void {
    this.#subscriberCount += 1;
  }

  /** @param wasSubscriber whether it was admitted */
  leave(subscription: Subscription, wasSubscriber: boolean): void {
    if (wasSubscriber) this.#subscriberCount -= 1;
    if (!this.#joined.delete(subscription) || this.#joined.size > 0 || this.#state === 'closed') return;
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    this.#hub.forget(this);
    if (wasOpen) this.#hub.options.broker.unsubscribe(this.name, this);
  }

  /** The live messages above `offset`, if they follow on it without a gap; null: read the log. */
  after(offset: number): readonly LiveMessage[] | null {
    return offset >= this.#head ? [] : this.recent.after(offset);
  }

  /** One entry of the log, as subscribers get it. */
  messageOf(entry: LogEntry): LiveMessage {
    const { offset, prev, key } = entry;
    const event = this.resolved.channel.eventsByName.get(entry.event);
    const isLatest = key !== undefined && event?.kind === 'latest';
    return { offset, prev, lines: this.#linesOf(entry, event), slot: isLatest ? `${event.index}:${key}` : null };
  }

  /** Sends a counted frame to every subscriber. */
  sendAll(frame: AppDownFrame): void {
    if (this.#subscriberCount === 0) return;
    const lines = this.#hub.options.encoder.counted(frame);
    for (const { active, receiver } of this.#joined) if (active) for (const line of lines) receiver.enqueue(line);
  }

  // ——— from the broker ———

  message(entry: LogEntry, epoch: string): void {
    if (this.#state === 'opening') this.#heard = Math.max(this.#heard, entry.offset);
    if (this.#state !== 'open') return;
    if (epoch !== this.#epoch) this.restart(epoch, entry.prev);
    if (entry.offset <= this.#head) return;
    if (this.#early !== null) this.#wait(this.#early, entry);
    else if (entry.prev > this.#head && this.resolved.channel.history !== null) void this.#mend([entry]);
    else this.#deliver(entry);
  }

  presence(announcement: PresenceAnnouncement): void {
    this.#hub.options.presence(this.name, announcement);
  }

  volatile({ event: name, data, by }: NewEntry): void {
    const event = this.resolved.channel.eventsByName.get(name)?.index;
    if (event === undefined || this.#subscriberCount === 0) return;
    const meta = by === undefined ? undefined : { by };
    const line = this.#hub.options.encoder.volatile({ channel: this.n, event, data, meta });
    for (const { active, receiver } of this.#joined) if (active && receiver.client !== by) receiver.sendLoose(line);
  }

  /**
   * The newest position, as the broker names it; none where it knows of no message. What is missing up to it is read.
   *
   * @param outageMs how long the broker was out of reach; null: it was not
   */
  check(position: Position | undefined, outageMs: number | null): void {
    if (this.#state !== 'open' || this.#early !== null) return;
    if (position === undefined) {
      if (outageMs !== null) void this.#checkEmpty(outageMs);
    } else if (position.epoch !== this.#epoch) this.restart(position.epoch, position.offset);
    else if (this.resolved.channel.history !== null) {
      if (position.offset > this.#head) void this.#mend([]);
    } else {
      // It may have been on its way when the head was read, but not since the one before.
      if (this.#named > this.#head) this.restart(position.epoch, position.offset);
      this.#named = position.offset;
    }
  }

  /**
   * The log has begun another life, so no position of the old one means anything: who stands on one is sent away, and comes back to be
   * told `recovered: false`.
   */
  restart(epoch: string, head: number): void {
    this.#epoch = epoch;
    this.#head = head;
    this.recent.forget();
    this.#early = null;
    for (const subscription of [...this.#joined]) {
      if (!subscription.active) continue;
      subscription.revoke('broker_failed', 'the log of the channel was lost; subscribe again');
    }
  }

  #deliver(entry: LogEntry): void {
    const after = this.#head;
    this.#head = entry.offset;
    if (this.#subscriberCount === 0 && !this.recent.wanted) return;
    const message = this.messageOf(entry);
    const { offset, lines } = message;
    if (this.lossy) this.#offer(message, after);
    else {
      for (const { liveFrom, receiver } of this.#joined) {
        if (liveFrom !== null && offset > liveFrom) for (const line of lines) receiver.enqueue(line);
      }
    }
    if (this.recent.wanted) this.recent.add(message);
  }

  #offer(message: LiveMessage, after: number): void {
    for (const subscription of this.#joined) {
      const { liveFrom } = subscription;
      if (liveFrom !== null && message.offset > liveFrom) subscription.take(message, after);
    }
  }

  #linesOf({ offset, prev, data, by }: LogEntry, event: CompiledEvent | undefined): readonly SharedLine[] {
    const { encoder } = this.#hub.options;
    // Of an event that this node's contract does not have its clients know nothing either; but the offset is not missing.
    if (event === undefined) return encoder.counted([Type.skipped, this.n, prev + 1, offset]);
    const meta = by === undefined ? undefined : { by };
    return encoder.message({ channel: this.n, offset, prev, event: event.index, data, meta });
  }

  #wait(early: LogEntry[], entry: LogEntry): void {
    early.push(entry);
    if (early.length > EARLY_MAX) early.shift();
  }

  /** Reads what is missing between `head` and `early`, or the end of the log, then goes on from there. */
  async #mend(early: LogEntry[]): Promise<void> {
    this.#early = early;
    try {
      for (let more = true; more && this.#early === early; ) {
        const since = { epoch: this.#epoch, offset: this.#head };
        const read = await this.#read({ since, limit: PAGE_ENTRIES });
        if (this.#early !== early || this.#state !== 'open') return;
        const isOver = !read.complete && read.entries.length === 0 && early.length === 0;
        if (read.epoch !== this.#epoch || isOver) return this.restart(read.epoch, read.head);
        for (const entry of read.entries) if (entry.offset > this.#head) this.#deliver(entry);
        more = read.entries.length === PAGE_ENTRIES;
      }
    } catch {
      // What is missing shows as a gap to subscribers, who ask the log themselves.
    }
    if (this.#early !== early) return;
    this.#early = null;
    for (const entry of early.sort((a, b) => a.offset - b.offset)) if (entry.offset > this.#head) this.#deliver(entry);
  }

  /** There are no messages: because the log was lost, or because they came and went while nobody could hear of them, or never were. */
  async #checkEmpty(outageMs: number): Promise<void> {
    if (outageMs >= (this.resolved.channel.history?.ttlMs ?? FORGOTTEN_MS)) return this.#mend([]);
    try {
      const { epoch, head } = await this.#read({ limit: 0 });
      if (this.#state === 'open' && epoch !== this.#epoch) this.restart(epoch, head);
    } catch {
      // The next message tells the epoch as well.
    }
  }

  #read(query: ReadQuery): Promise<LogRead> {
    return this.#hub.options.broker.read(this.name, { ...query, history: this.resolved.channel.history });
  }

  async #open(): Promise<void> {
    const { broker } = this.#hub.options;
    try {
      await broker.subscribe(this.name, this);
      if (this.#isOver()) return broker.unsubscribe(this.name, this);
      await this.#hub.options.followed(this.resolved);
      const { epoch, head } = await this.#read({ limit: 0 });
      if (this.#isOver()) return broker.unsubscribe(this.name, this);
      this.#epoch = epoch;
      this.#head = Math.max(head, this.#heard);
      this.#state = 'open';
      for (const subscription of [...this.#joined]) subscription.start(this);
    } catch (cause) {
      if (this.#isOver()) return;
      // As closed as it gets: the next subscription begins anew.
      this.#state = 'closed';
      this.#hub.forget(this);
      broker.unsubscribe(this.name, this);
      const error = new RunnelError('broker_failed', 'the broker did not take the subscription', { cause });
      for (const subscription of [...this.#joined]) subscription.refuse(error);
      this.#hub.options.onError(cause, this.name);
    }
  }

  #isOver(): boolean {
    return this.#state === 'closed';
  }
}
