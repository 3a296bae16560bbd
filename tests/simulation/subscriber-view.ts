/** Invariant 7: what one subscriber of one channel is told. Every offset comes once and in order, and what does not come is declared. */
import type { EventMeta, Gap, Position, SubscriptionListener, SubscriptionState } from '@runnel/protocol';
import type { ChannelTruth } from './channel-truth.ts';
import type { Coverage } from './coverage.ts';
import { check } from './violation.ts';

export interface SubscriberViewOptions {
  readonly channel: string;
  readonly truth: ChannelTruth;
  readonly coverage: Coverage;
  /** As the channel core has it. */
  readonly position: () => Position | null;
}

export class SubscriberView implements SubscriptionListener {
  readonly #options: SubscriberViewOptions;
  /** After the last message, or where the subscription began; null before its first answer. */
  at: Position | null = null;
  /** Set when a `subscribed` said that something is missing, until it is declared. */
  #owed = false;
  closed = false;

  constructor(options: SubscriberViewOptions) {
    this.#options = options;
  }

  state(state: SubscriptionState): void {
    if (state.status !== 'subscribed') return;
    const { channel, position, coverage } = this.#options;
    const now = position();
    const { at } = this;
    if (state.recovered === true) {
      coverage.saw('recovered');
      check(
        at !== null && now?.epoch === at.epoch && now.offset === at.offset,
        7,
        () => `${channel} was recovered from ${place(at)} to ${place(now)}`,
      );
    } else if (state.recovered === false) this.#owed = true;
    else {
      check(at === null, 7, () => `${channel} was subscribed anew at ${place(now)}, and stood at ${place(at)}`);
      this.at = now;
    }
  }

  gap(gap: Gap): void {
    check(gap.reason === 'position_lost', 7, () => 'nothing of these channels may be skipped');
    this.#options.coverage.saw('position lost');
    this.#owed = false;
    this.at = this.#options.position();
  }

  message(_event: string, data: unknown, { id, offset }: EventMeta): void {
    const { channel, truth } = this.#options;
    const { at } = this;
    check(!this.closed, 7, () => `${data} came to ${channel} after it was unsubscribed`);
    check(!this.#owed, 7, () => `${data} came to ${channel} before it was said that others are missing`);
    const epoch = id?.slice(0, id.lastIndexOf('-')) ?? '';
    check(
      at !== null && epoch === at.epoch && offset === at.offset + 1,
      7,
      () => `${epoch}-${offset} came to ${channel} after ${place(at)}`,
    );
    this.at = { epoch, offset: offset ?? 0 };
    truth.note(channel, epoch, offset ?? 0, String(data));
  }

  presence(): void {}
}

const place = (position: Position | null): string =>
  position === null ? 'nowhere' : `${position.epoch}-${position.offset}`;
