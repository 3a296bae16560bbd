/**
 * One session's subscription to one channel, from its request to its end.
 *
 *     asked ──► joined ──► catching up ──► live          ended from any of them
 *                  └───────────────────────►
 *
 * *asked*: `authorize` has not answered. *joined*: the hub follows the channel for it, or is about to. *catching up*: it is answered and
 * brought to where live messages go on. *live*: messages above `liveFrom` come from the hub. It is answered exactly once: by `subscribed`,
 * or by an error, which is `canceled` where it ended unheard.
 */
import {
  type AttachSub,
  type Position,
  type ResolvedChannel,
  RunnelError,
  type SubscribeOptions,
  Type,
} from '@runnel/protocol';
import type { LogEntry } from './brokers/broker.ts';
import { CatchUp, type SnapshotSource } from './catch-up.ts';
import type { Hub } from './hub.ts';
import type { HubChannel } from './hub-channel.ts';
import type { LiveMessage } from './live-message.ts';
import type { Receiver } from './receiver.ts';
import type { SharedLine } from './shared-line.ts';
import { SlowLane } from './slow-lane.ts';

/** What the node that had a session before has heard of a channel, after where the session stood and up to `until`; null: not all of it. */
export type Predecessor = (until: Position) => Promise<readonly LogEntry[] | null>;

/** A subscription on its way to another node: what is asked for there, and whether the client was told `subscribed` before. */
export interface HandedOver {
  readonly sub: AttachSub;
  readonly told: boolean;
}

export interface SubscriptionOptions {
  readonly receiver: Receiver;
  /** Of the subscribe frame or the entry of an attach's `subs`. */
  readonly id: number;
  readonly resolved: ResolvedChannel;
  readonly from: SubscribeOptions;
  /** Null where the contract declares no snapshot. */
  readonly snapshots: SnapshotSource | null;
  /** Of a session that has just come from another node; absent: it has not. */
  readonly predecessor?: Predecessor | undefined;
  /** The subscription was answered, and sent what was there to be sent at once. Called once. */
  readonly onSettled: () => void;
}

/** Who is told what becomes of subscriptions, of many of them. */
export interface SubscriptionOwner {
  readonly hub: Hub;
  /** It was told `subscribed`. */
  subscribed(subscription: Subscription): void;
  /** It ended otherwise than by `end`: refused or revoked, with `code`. Called once, if at all. */
  lost(subscription: Subscription, code: string): void;
}

/** What a subscription is told at the start (PROTOCOL §5.17). */
interface Start {
  readonly offset: number;
  readonly head: number;
  readonly recovered: boolean | null;
  /** Whether a snapshot follows. Default: false. */
  readonly snapshot?: boolean;
}

export class Subscription {
  readonly receiver: Receiver;
  readonly #owner: SubscriptionOwner;
  readonly #id: number;
  /** How it begins; null once it is live. */
  #options: SubscriptionOptions | null;
  /** Offsets above it are sent by the hub; null unless the subscription is live. */
  liveFrom: number | null = null;
  /** Set when it joins; the channel it has to leave. */
  #channel: HubChannel | null = null;
  /** `asked`: it was not answered. `active`: it was told `subscribed`. */
  #stage: 'asked' | 'active' | 'ended' = 'asked';
  /** Null while it does not catch up. */
  #catchUp: CatchUp | null = null;
  /** Of a channel whose messages may wait: made when the session is slow for the first time. */
  #slowLane: SlowLane | null = null;

  constructor(owner: SubscriptionOwner, options: SubscriptionOptions) {
    this.#owner = owner;
    this.#options = options;
    this.#id = options.id;
    this.receiver = options.receiver;
  }

  /** The channel's own once it has joined. */
  get resolved(): ResolvedChannel {
    return this.#channel?.resolved ?? (this.#options as SubscriptionOptions).resolved;
  }

  get ended(): boolean {
    return this.#stage === 'ended';
  }
  /** Whether it was let in, and not sent away since. */
  get joined(): boolean {
    return this.#channel !== null && !this.ended;
  }
  /** Whether it was told `subscribed` as well. */
  get active(): boolean {
    return this.#stage === 'active';
  }

  /** It may subscribe. */
  join(): void {
    if (this.ended) return;
    this.#channel = this.#hub.open(this.resolved);
    this.#channel.join(this);
  }

  /** The channel is open: PROTOCOL §5.17. */
  start(channel: HubChannel): void {
    if (this.ended || this.#options === null) return;
    const { from, snapshots, predecessor = null } = this.#options;
    const { since, rewind = 0 } = from;
    const { history } = this.resolved.channel;
    const { epoch, head } = channel;
    const atHead = since !== undefined && since.epoch === epoch && since.offset === head;
    const isFresh = since === undefined && rewind === 0;
    const isHandedOn = predecessor !== null && history === null && since?.epoch === epoch;
    if (atHead || (!isHandedOn && snapshots === null && (history === null || isFresh))) {
      this.answer({ offset: head, head, recovered: since === undefined ? null : atHead });
      this.goLive(head);
    } else {
      const before = isHandedOn ? predecessor : null;
      this.#catchUp = new CatchUp({
        hub: this.#hub,
        channel,
        subscription: this,
        from,
        snapshots,
        predecessor: before,
      });
      void this.#catchUp.run().finally(() => {
        this.#catchUp = null;
      });
    }
  }

  /** Ends it from the client's side, or because its session or the server's interest has ended. Idempotent. */
  end(reason = 'the subscription was replaced or ended before it began'): void {
    const unheard = this.#stage === 'asked';
    this.#leave();
    if (unheard) this.#answerError(new RunnelError('canceled', reason));
  }

  /**
   * Of a channel without a log, what may be told of the time before a hand-over: the messages after `since`, which is where it stands, or what the node
   * before knows, where it has not got so far. Null: nothing.
   */
  get heard(): { readonly since: Position } | { readonly before: Predecessor } | null {
    const predecessor = this.#options?.predecessor;
    const channel = this.#channel;
    if (channel !== null && this.#isLive) return { since: { epoch: channel.epoch, offset: channel.head } };
    return predecessor === undefined ? null : { before: predecessor };
  }

  get #isLive(): boolean {
    return this.liveFrom !== null;
  }

  /** The session has another node: where it stands is told there, and nothing more is sent here. */
  handOver(): HandedOver {
    const from = this.#options?.from ?? {};
    const channel = this.#channel;
    const told = this.active;
    this.#slowLane?.flush();
    const since = told && channel !== null ? this.#position(channel) : null;
    this.#leave();
    return { sub: [this.#id, this.resolved.name, since === null ? from : { since }], told };
  }

  #position({ epoch, head }: HubChannel): Position {
    if (this.#isLive) return { epoch, offset: head };
    const reached = this.#catchUp?.reached ?? null;
    // Without the snapshot it stands nowhere.
    return reached === null ? { epoch: '', offset: 0 } : { epoch, offset: reached };
  }

  /** Answers that it may not, or cannot, be. */
  refuse(error: RunnelError): void {
    if (this.ended) return;
    const unheard = this.#stage === 'asked';
    this.#leave();
    if (unheard) this.#answerError(error);
    this.#owner.lost(this, error.code);
  }

  /** PROTOCOL §5.26: ends it from the server's side. */
  revoke(code: string, message: string): void {
    if (this.ended) return;
    const channel = this.#channel;
    if (this.#stage === 'asked' || channel === null) return this.refuse(new RunnelError(code, message));
    this.#leave();
    this.send(this.#hub.options.encoder.counted([Type.revoked, channel.n, code, message]));
    this.#owner.lost(this, code);
  }

  // ——— for channel and catching up ———

  /** Answers `subscribed`, and tells who is present. */
  answer(start: Start): void {
    const channel = this.#channel;
    if (this.#stage !== 'asked' || channel === null) return;
    const { encoder, membersOf } = this.#hub.options;
    const { n, epoch } = channel;
    const members = membersOf(this.resolved);
    const [presence = '[]', ...more] = members ?? [];
    const events = this.resolved.channel.events.map(({ name }) => name);
    const told = { n, epoch, ...start, events };
    this.send(encoder.subscribed(this.#id, told, members === null ? null : presence));
    for (const joined of more) this.send(encoder.joined(n, joined));
    this.#stage = 'active';
    channel.admitted();
    this.#owner.subscribed(this);
  }

  /** From here on messages above `position` come from the hub. */
  goLive(position: number): void {
    if (!this.ended) this.liveFrom = position;
    this.settle();
    this.#options = null;
  }

  /** Sends a message now, or, where it may wait, when the session takes it. @param after offset of the one before it, or of the start */
  take(message: LiveMessage, after: number): void {
    const channel = this.#channel;
    if (channel === null || this.ended) return;
    if (channel.lossy && (this.#slowLane !== null || this.receiver.slow)) this.#lane(channel.n).take(message, after);
    else this.send(message.lines);
  }

  send(lines: readonly SharedLine[]): void {
    for (const line of lines) this.receiver.enqueue(line);
  }

  /** What there is to be sent at once was sent. */
  settle(): void {
    const options = this.#options;
    if (options === null) return;
    this.#options = { ...options, onSettled: nothing };
    options.onSettled();
  }

  // ——— inside ———

  get #hub(): Hub {
    return this.#owner.hub;
  }

  #lane(n: number): SlowLane {
    const { encoder, limits } = this.#hub.options;
    this.#slowLane ??= new SlowLane({
      receiver: this.receiver,
      onSlow: this.resolved.channel.onSlow,
      bounds: { messagesMax: limits.waitingMessages, bytesMax: limits.waitingBytes },
      send: ({ lines }) => this.send(lines),
      skip: (from, to) => this.send(encoder.counted([Type.skipped, n, from, to])),
    });
    return this.#slowLane;
  }

  #answerError(error: RunnelError): void {
    this.send(this.#hub.options.encoder.error(this.#id, error));
    this.settle();
  }

  #leave(): void {
    if (this.ended) return;
    const wasActive = this.active;
    this.#stage = 'ended';
    this.liveFrom = null;
    this.#catchUp?.cancel();
    this.#slowLane?.clear();
    this.#channel?.leave(this, wasActive);
  }
}

function nothing(): void {}
