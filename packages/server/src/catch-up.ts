/**
 * Brings one subscription from where it asked to begin to the live messages: by the log, a page at a time, as fast as the session takes it
 * (PROTOCOL §5.17), by a snapshot (§5.25), or by both. Meanwhile the channel sends it nothing, and keeps the latest messages for it.
 *
 * A snapshot is read after `head` is fixed, and handed out before the first message above it. Where there is no log, those messages have to
 * be among the ones that were kept; a snapshot that took so long that they are not is of no use, and another is read.
 */
import { RunnelError, type SubscribeOptions } from '@runnel/protocol';
import type { LogEntry, LogRead, ReadQuery } from './brokers/broker.ts';
import type { Hub } from './hub.ts';
import { type HubChannel, PAGE_ENTRIES } from './hub-channel.ts';
import type { SharedLine } from './shared-line.ts';
import type { Slots } from './slots.ts';
import type { Predecessor, Subscription } from './subscription.ts';

/** Snapshots read for one subscription before it is refused. */
const SNAPSHOTS_MAX = 3;

/** Where a subscription gets the channel's state from. */
export interface SnapshotSource {
  /** The state as JSON. Rejects with what the client is told. */
  readonly read: (unwanted: AbortSignal) => Promise<string>;
  /** Of the session: a snapshot is read, and kept until the session takes it, by the holder of one. */
  readonly slots: Slots;
}

export interface CatchUpOptions {
  readonly hub: Hub;
  readonly channel: HubChannel;
  readonly subscription: Subscription;
  readonly from: SubscribeOptions;
  /** Null where the contract declares no snapshot. */
  readonly snapshots: SnapshotSource | null;
  /** Of a channel without a log whose subscription another node had until now. */
  readonly predecessor: Predecessor | null;
}

/** What a subscription is sent first, once it was answered. */
interface Opening {
  readonly epoch: string;
  /** Position before `entries`, or after the snapshot. */
  readonly offset: number;
  readonly entries: readonly LogEntry[];
  /** The lines of the snapshot, which follows `entries`. */
  readonly snapshot: readonly SharedLine[];
}

export class CatchUp {
  readonly #options: CatchUpOptions;
  /** Offset up to which the session was sent what there is; null until it was answered, and until it has the snapshot that it was promised. */
  reached: number | null = null;
  readonly #unwanted = new AbortController();
  /** Ends the wait for room, or for a slot; null while it does not wait. */
  #stopWaiting: (() => void) | null = null;
  /** Gives the slot back; null while it has none. */
  #freeSlot: (() => void) | null = null;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { hub, channel, subscription } = this.#options;
    channel.recent.begin();
    try {
      const opening = (await this.#openByPredecessor()) ?? (await this.#openByLog()) ?? (await this.#openBySnapshot());
      if (opening !== null) await this.#follow(opening);
    } catch (cause) {
      subscription.revoke('broker_failed', 'the log of the channel could not be read');
      hub.options.onError(cause, channel.name);
    } finally {
      this.#freeSlot?.();
      channel.recent.end();
      subscription.settle();
    }
  }

  /** The subscription has ended. */
  cancel(): void {
    this.#stopWaiting?.();
    this.#unwanted.abort(new RunnelError('canceled', 'the subscription has ended'));
  }

  /** Answers from what another node has heard meanwhile. Null where there is none; what it has not, was missed. */
  async #openByPredecessor(): Promise<Opening | null> {
    const { channel, subscription, from, snapshots, predecessor } = this.#options;
    const { since } = from;
    if (predecessor === null || since === undefined) return null;
    const { epoch, head } = channel;
    const heard = await predecessor({ epoch, offset: head });
    // What has come here since then may have been lost on its way, too.
    const follows = channel.after(head) !== null;
    const entries = follows ? (heard?.filter(({ offset }) => offset > since.offset) ?? null) : null;
    if (subscription.ended || channel.epoch !== epoch || (entries === null && snapshots !== null)) return null;
    const offset = entries !== null ? since.offset : follows ? head : channel.head;
    subscription.answer({ offset, head: channel.head, recovered: entries !== null });
    this.reached = offset;
    return { epoch, offset, entries: entries ?? [], snapshot: [] };
  }

  /** Answers from the log. Null where that is not how the subscription begins. */
  async #openByLog(): Promise<Opening | null> {
    const { channel, subscription, from, snapshots } = this.#options;
    const { since, rewind = 0 } = from;
    const { history } = channel.resolved.channel;
    if (history === null || (since === undefined && snapshots !== null)) return null;
    const limit = since === undefined ? Math.min(rewind, history.size) : PAGE_ENTRIES;
    const read = await this.#page({ since, limit });
    if (read === null || (snapshots !== null && !read.complete)) return null;
    const { epoch, complete, entries } = read;
    // The position before the first message that will follow.
    const offset = since !== undefined && complete ? since.offset : (entries[0]?.prev ?? read.head);
    subscription.answer({ offset, head: channel.head, recovered: since === undefined ? null : complete });
    this.reached = offset;
    return { epoch, offset, entries, snapshot: [] };
  }

  /** Answers with the channel's state, after the messages to rewind to. Null where the subscription has ended by then. */
  async #openBySnapshot(): Promise<Opening | null> {
    const { hub, channel, subscription, from, snapshots } = this.#options;
    if (snapshots === null) return null;
    await this.#slot(snapshots.slots);
    for (let read = 0; read < SNAPSHOTS_MAX; read += 1) {
      await this.#room();
      if (subscription.ended) return null;
      const { epoch, head } = channel;
      const snapshot = await this.#snapshot(snapshots);
      await this.#room();
      const entries = await this.#rewound(head);
      if (snapshot === null || entries === null) return null;
      if (channel.epoch !== epoch || !this.#reaches(head)) continue;
      subscription.answer({
        offset: entries[0]?.prev ?? head,
        head,
        recovered: from.since === undefined ? null : false,
        snapshot: true,
      });
      return { epoch, offset: head, entries, snapshot: hub.options.encoder.snapshot(channel.n, snapshot) };
    }
    subscription.refuse(
      new RunnelError('overloaded', `more messages came than are held while ${SNAPSHOTS_MAX} snapshots were read`),
    );
    return null;
  }

  /** The state as JSON; null where it could not be had, which was said, or the subscription has ended. */
  async #snapshot({ read }: SnapshotSource): Promise<string | null> {
    const { subscription } = this.#options;
    try {
      return await read(this.#unwanted.signal);
    } catch (error) {
      if (!subscription.ended) subscription.refuse(error as RunnelError);
      return null;
    }
  }

  /** The messages up to `head` that were asked for beside a snapshot; null where the subscription has ended. */
  async #rewound(head: number): Promise<readonly LogEntry[] | null> {
    const { channel, subscription, from } = this.#options;
    const { history } = channel.resolved.channel;
    const { since, rewind = 0 } = from;
    if (subscription.ended) return null;
    if (since !== undefined || rewind === 0 || history === null) return [];
    const read = await this.#page({ before: head + 1, limit: Math.min(rewind, history.size) });
    return read === null ? null : read.entries;
  }

  /** Whether what follows on `head` can be had. */
  #reaches(head: number): boolean {
    const { channel } = this.#options;
    return channel.resolved.channel.history !== null || channel.after(head) !== null;
  }

  /** Sends the opening and what has come since, up to where live messages go on. */
  async #follow({ epoch, offset, entries, snapshot }: Opening): Promise<void> {
    const { channel, subscription } = this.#options;
    let position = Math.max(offset, entries.at(-1)?.offset ?? 0);
    if (!(await this.#send(entries, snapshot.length === 0))) return;
    subscription.send(snapshot);
    this.reached = position;
    for (;;) {
      const rest = channel.after(position);
      if (rest !== null) {
        for (const message of rest) {
          subscription.take(message, position);
          position = message.offset;
        }
        return subscription.goLive(Math.max(position, channel.head));
      }
      const read = await this.#page({ since: { epoch, offset: position }, limit: PAGE_ENTRIES });
      if (read === null || !(await this.#send(read.entries))) return;
      position = read.entries.at(-1)?.offset ?? channel.head;
    }
  }

  /** Sends entries of the log as the session takes them; false: the subscription has ended. `counts`: it stands there then. */
  async #send(entries: readonly LogEntry[], counts = true): Promise<boolean> {
    const { channel, subscription } = this.#options;
    for (const entry of entries) {
      if (subscription.receiver.slow) await this.#room();
      if (subscription.ended) return false;
      subscription.send(channel.messageOf(entry).lines);
      if (counts) this.reached = entry.offset;
    }
    return !subscription.ended;
  }

  /** One page of the log; null if the subscription has ended meanwhile. */
  async #page(query: ReadQuery): Promise<LogRead | null> {
    const { hub, channel, subscription } = this.#options;
    const { history } = channel.resolved.channel;
    const read = await hub.options.broker.read(channel.name, { ...query, history });
    if (!subscription.ended && read.epoch !== channel.epoch) channel.restart(read.epoch, read.head);
    return subscription.ended ? null : read;
  }

  /** Resolves when it has a slot, or the subscription has ended. */
  async #slot(slots: Slots): Promise<void> {
    if (this.#options.subscription.ended) return;
    await new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
      this.#freeSlot = slots.take(resolve);
    });
    this.#stopWaiting = null;
  }

  /** Resolves when the session takes more, or the subscription has ended. So a backlog leaves half of the outbox to what comes meanwhile. */
  async #room(): Promise<void> {
    const { subscription } = this.#options;
    const { receiver } = subscription;
    while (receiver.slow && !subscription.ended) {
      subscription.settle();
      await new Promise<void>((resolve) => {
        const callOff = receiver.whenDrained(resolve);
        this.#stopWaiting = () => {
          callOff();
          resolve();
        };
      });
      this.#stopWaiting = null;
    }
  }
}
