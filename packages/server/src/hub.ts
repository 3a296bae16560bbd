/**
 * Which sessions of this node follow which channel. A channel is followed at the broker while at least one subscription has joined it;
 * then it is forgotten, and if it comes back it has another number.
 */
import type { Limits, ResolvedChannel } from '@runnel/protocol';
import type { Broker } from './brokers/broker.ts';
import type { PresenceAnnouncement } from './brokers/nodes.ts';
import type { Encoder } from './encoder.ts';
import { HubChannel } from './hub-channel.ts';
import { HubHeads } from './hub-heads.ts';
import type { Timing } from './timing.ts';

export interface HubOptions {
  readonly broker: Broker;
  readonly encoder: Encoder;
  readonly limits: Limits;
  readonly clock: Timing;
  /** The members that a subscriber is told of at the start, as JSON arrays of a size that one frame takes each; null: no presence. */
  readonly membersOf: (resolved: ResolvedChannel) => readonly string[] | null;
  /** Resolves when presence in the channel is known here; null: it is already. */
  readonly followed: (resolved: ResolvedChannel) => Promise<void> | null;
  /** The last subscription has left. */
  readonly forgotten: (channel: string) => void;
  /** Somebody's presence has changed, by way of another node. */
  readonly presence: (channel: string, announcement: PresenceAnnouncement) => void;
  /** A subscription was lost to what `error` says; its session has been told. */
  readonly onError: (error: unknown, channel: string) => void;
}

export class Hub {
  readonly options: HubOptions;
  readonly #channels = new Map<string, HubChannel>();
  readonly #heads: HubHeads;
  /** The number given last. PROTOCOL §5.17: none is given twice while a session may hold it, so none is ever given twice. */
  #lastNumber = 0;

  constructor(options: HubOptions) {
    this.options = options;
    const { broker, clock } = options;
    this.#heads = new HubHeads({ broker, clock, channels: this.#channels });
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  get subscriptionCount(): number {
    let count = 0;
    for (const channel of this.#channels.values()) count += channel.subscriberCount;
    return count;
  }

  get(name: string): HubChannel | undefined {
    return this.#channels.get(name);
  }

  /** The channel, for a subscription that joins it now. */
  open(resolved: ResolvedChannel): HubChannel {
    const known = this.#channels.get(resolved.name);
    if (known !== undefined) return known;
    this.#lastNumber += 1;
    const channel = new HubChannel(this, resolved, this.#lastNumber);
    this.#channels.set(resolved.name, channel);
    this.#heads.begin();
    return channel;
  }

  /** No channel is looked after any more. */
  close(): void {
    this.#heads.close();
  }

  /** For channels: the last subscription has left. */
  forget(channel: HubChannel): void {
    if (this.#channels.get(channel.name) !== channel) return;
    this.#channels.delete(channel.name);
    this.options.forgotten(channel.name);
  }
}
