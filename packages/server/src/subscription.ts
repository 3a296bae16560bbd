/**
 * One session's subscription to one channel, from its request to its end.
 *
 *     asked ──► joined ──► reading ──► live          ended from any of them
 *                  └───────────────────►
 *
 * *asked*: `authorize` has not answered. *joined*: the hub follows the channel for it, or is about to. *reading*: it was told `subscribed`
 * or is about to be, and reads the log from its position, a page at a time, as fast as the session takes it. *live*: messages above
 * `liveFrom` come from the hub. It is answered exactly once: by `subscribed`, or by an error, which is `canceled` where it ended unheard.
 */
import { type Position, type ResolvedChannel, RunnelError, type SubscribeOptions, Type } from '@runnel/protocol';
import type { LogRead, ReadQuery } from './brokers/broker.ts';
import type { Encoder } from './encoder.ts';
import type { Hub } from './hub.ts';
import { type HubChannel, PAGE_ENTRIES } from './hub-channel.ts';
import type { Receiver } from './receiver.ts';

export interface SubscriptionOptions {
  readonly receiver: Receiver;
  /** Of the subscribe frame or the entry of an attach's `subs`. */
  readonly id: number;
  readonly resolved: ResolvedChannel;
  readonly from: SubscribeOptions;
  /** The subscription was answered, and sent what was there to be sent at once. Called once. */
  readonly onSettled: () => void;
  /** It ended otherwise than by `end`: refused or revoked. Called once, if at all. */
  readonly onLost: (subscription: Subscription) => void;
}

/** While a backlog waits for the session to take what it was sent, ms between two looks: each is twice the last. */
const ROOM_MS = { first: 20, last: 1_000 } as const;

export class Subscription {
  readonly receiver: Receiver;
  readonly resolved: ResolvedChannel;
  readonly #hub: Hub;
  readonly #options: SubscriptionOptions;
  /** Offsets above it are sent by the hub; Infinity until the subscription is live. */
  liveFrom: number = Number.POSITIVE_INFINITY;
  /** Set when it joins; the channel it has to leave. */
  #channel: HubChannel | null = null;
  #answered = false;
  #settled = false;
  #ended = false;
  /** Ends the wait for room; null while it does not wait. */
  #stopWaiting: (() => void) | null = null;

  constructor(hub: Hub, options: SubscriptionOptions) {
    this.#hub = hub;
    this.#options = options;
    this.receiver = options.receiver;
    this.resolved = options.resolved;
  }

  get ended(): boolean {
    return this.#ended;
  }
  /** Whether it was told `subscribed` and not sent away since. */
  get active(): boolean {
    return this.#answered && !this.#ended;
  }

  /** It may subscribe. */
  join(): void {
    if (this.#ended) return;
    this.#channel = this.#hub.open(this.resolved);
    this.#channel.join(this);
  }

  /** The channel is open: PROTOCOL §5.17. */
  start(channel: HubChannel): void {
    if (this.#ended) return;
    const { since, rewind = 0 } = this.#options.from;
    const { history } = this.resolved.channel;
    const atHead = since !== undefined && since.epoch === channel.epoch && since.offset === channel.head;
    if (atHead || history === null || (since === undefined && rewind === 0)) {
      this.#answer(channel.head, since === undefined ? null : atHead);
      this.#goLive(channel.head);
    } else {
      void this.#read(
        channel,
        since === undefined ? { limit: Math.min(rewind, history.size) } : { since, limit: PAGE_ENTRIES },
      );
    }
  }

  /** Ends it from the client's side, or because its session or the server's interest has ended. Idempotent. */
  end(reason = 'the subscription was replaced or ended before it began'): void {
    this.#leave();
    this.#answerError(new RunnelError('canceled', reason));
  }

  /** Answers that it may not, or cannot, be. */
  refuse(error: RunnelError): void {
    if (this.#ended) return;
    this.#leave();
    this.#answerError(error);
    this.#options.onLost(this);
  }

  /** PROTOCOL §5.26: ends it from the server's side. */
  revoke(code: string, message: string): void {
    if (this.#ended) return;
    const channel = this.#channel;
    if (!this.#answered || channel === null) return this.refuse(new RunnelError(code, message));
    this.#leave();
    this.#send(this.#hub.options.encoder.counted([Type.revoked, channel.n, code, message]));
    this.#options.onLost(this);
  }

  // ——— the log ———

  /** Reads the log from where `query` says to where live messages go on. */
  async #read(channel: HubChannel, query: ReadQuery): Promise<void> {
    channel.beginReading();
    try {
      let read = await this.#page(channel, query);
      if (read === null) return;
      let position = this.#answerFrom(read);
      for (;;) {
        for (const entry of read.entries) {
          if (!this.#hasRoom()) await this.#room();
          if (this.#ended) return;
          this.#send(channel.linesOf(entry));
          position = { epoch: read.epoch, offset: entry.offset };
        }
        const rest = channel.after(position.offset);
        if (rest !== null) {
          for (const { lines } of rest) this.#send(lines);
          return this.#goLive(Math.max(position.offset, channel.head));
        }
        read = await this.#page(channel, { since: position, limit: PAGE_ENTRIES });
        if (read === null) return;
        if (read.entries.length === 0) position = { epoch: read.epoch, offset: channel.head };
      }
    } catch (cause) {
      this.revoke('broker_failed', 'the log of the channel could not be read');
      this.#hub.options.onError(cause, channel.name);
    } finally {
      channel.endReading();
      this.#settle();
    }
  }

  /** One page of the log; null if the subscription has ended meanwhile. */
  async #page(channel: HubChannel, query: ReadQuery): Promise<LogRead | null> {
    const read = await this.#hub.options.broker.read(channel.name, query);
    if (!this.#ended && read.epoch !== channel.epoch) channel.restart(read.epoch, read.head);
    return this.#ended ? null : read;
  }

  /** Answers with the position before the first message that will follow. */
  #answerFrom(read: LogRead): Position {
    const { since } = this.#options.from;
    const first = read.entries[0];
    const offset = since !== undefined && read.complete ? since.offset : (first?.prev ?? read.head);
    this.#answer(offset, since === undefined ? null : read.complete);
    return { epoch: read.epoch, offset };
  }

  /** A backlog may fill half of the outbox; the rest is for what comes meanwhile. */
  #hasRoom(): boolean {
    const { bytes, tx, ob } = this.receiver.ledger;
    const { outboxBytes, outboxFrames } = this.#hub.options.limits;
    return bytes * 2 <= outboxBytes && (tx - ob) * 2 <= outboxFrames;
  }

  /** Resolves when there is room, or the subscription has ended. */
  #room(): Promise<void> {
    this.#settle();
    return new Promise((resolve) => {
      const look = (ms: number): void => {
        if (this.#ended || this.#hasRoom()) {
          this.#stopWaiting = null;
          return resolve();
        }
        const cancel = this.#hub.options.clock.after(ms, () => look(Math.min(ms * 2, ROOM_MS.last)));
        this.#stopWaiting = () => {
          cancel();
          resolve();
        };
      };
      look(ROOM_MS.first);
    });
  }

  // ——— ends ———

  #goLive(position: number): void {
    if (!this.#ended) this.liveFrom = position;
    this.#settle();
  }

  #answer(offset: number, recovered: boolean | null): void {
    const channel = this.#channel;
    if (this.#answered || channel === null) return;
    this.#answered = true;
    const { encoder, membersOf } = this.#hub.options;
    const { n, epoch, head } = channel;
    const members = membersOf(this.resolved);
    const events = this.resolved.channel.events.map(({ name }) => name);
    const told = { n, epoch, offset, head, recovered, events };
    const [presence = [], ...more] = members ?? [];
    this.#send(encoder.counted([Type.subscribed, this.#options.id, members === null ? told : { ...told, presence }]));
    for (const joined of more) this.#send(encoder.counted([Type.presence, n, { joined }]));
    channel.admit(this);
  }

  #answerError(error: RunnelError): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#send(this.#hub.options.encoder.error(this.#options.id, error));
    this.#settle();
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#options.onSettled();
  }

  #leave(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.liveFrom = Number.POSITIVE_INFINITY;
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    this.#channel?.leave(this);
  }

  #send(lines: ReturnType<Encoder['counted']>): void {
    for (const line of lines) this.receiver.enqueue(line);
  }
}
