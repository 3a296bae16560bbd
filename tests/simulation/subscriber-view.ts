/** Invariant 7: what one subscriber of one channel is told. Every offset comes once and in order, and what does not come is declared. */
import type {
  EventMeta,
  Gap,
  Position,
  PresenceEntry,
  SubscriptionListener,
  SubscriptionState,
} from '@runnel/protocol';
import { hasState, isLossy } from './app-contract.ts';
import { BoardView } from './board-view.ts';
import type { ChannelTruth } from './channel-truth.ts';
import type { Coverage } from './coverage.ts';
import { SkipView } from './skip-view.ts';
import { check } from './violation.ts';

export interface SubscriberViewOptions {
  readonly channel: string;
  readonly truth: ChannelTruth;
  readonly coverage: Coverage;
  /** As the channel core has it. */
  readonly position: () => Position | null;
  readonly onSubscribed: () => void;
}

export class SubscriberView implements SubscriptionListener {
  readonly #options: SubscriberViewOptions;
  /** Null where the channel has none. */
  readonly board: BoardView | null;
  readonly skips: SkipView | null;
  /** After the last message, or where the subscription began; null before its first answer. */
  at: Position | null = null;
  /** As the last word about each says; null before there was any. */
  members: ReadonlyMap<string, PresenceEntry> | null = null;
  /** Set when a `subscribed` said that something is missing, until it is declared. */
  #owed = false;
  closed = false;
  /** Volatile messages that have come. */
  readonly #whispers = new Set<string>();

  constructor(options: SubscriberViewOptions) {
    this.#options = options;
    const { channel, truth } = options;
    this.board = hasState(channel) ? new BoardView(channel, truth) : null;
    this.skips = isLossy(channel) ? new SkipView(channel, truth) : null;
  }

  state(state: SubscriptionState): void {
    if (state.status !== 'subscribed') return;
    const { channel, position, coverage, onSubscribed } = this.#options;
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
      // Who waits for the state may begin again: it will make up for what was missed, but nothing may come twice.
      const begins = at === null || (this.board?.due === true && !(now?.epoch === at.epoch && now.offset < at.offset));
      check(begins, 7, () => `${channel} was subscribed anew at ${place(now)}, and stood at ${place(at)}`);
      this.#begin(now);
    }
    if (state.recovered !== true) this.board?.begin();
    onSubscribed();
  }

  gap(gap: Gap): void {
    const { channel, coverage, position } = this.#options;
    if (gap.reason === 'positionLost') {
      coverage.saw('position lost');
      this.#owed = false;
      this.#begin(position());
      return;
    }
    const { from, to } = gap;
    const { at } = this;
    check(this.skips !== null, 7, () => `nothing of ${channel} may be skipped`);
    check(
      from === (at?.offset ?? 0) + 1 && to >= from,
      7,
      () => `${from}–${to} of ${channel} were skipped at ${place(at)}`,
    );
    coverage.saw('skipped');
    this.skips?.skip(from, to);
    this.at = { epoch: at?.epoch ?? '', offset: to };
  }

  message(_event: string, data: unknown, { id, offset }: EventMeta): void {
    const { channel, truth } = this.#options;
    const { at } = this;
    const text = String(data);
    check(!this.closed, 7, () => `${text} came to ${channel} after it was unsubscribed`);
    if (id === null || offset === null) return this.#whisper(text);
    check(!this.#owed, 7, () => `${text} came to ${channel} before it was said that others are missing`);
    const epoch = id.slice(0, id.lastIndexOf('-'));
    check(
      at !== null && epoch === at.epoch && offset === at.offset + 1,
      7,
      () => `${epoch}-${offset} came to ${channel} after ${place(at)}`,
    );
    this.at = { epoch, offset };
    truth.note(channel, epoch, offset, text);
    this.board?.message(text);
    this.skips?.message(text);
  }

  /** Invariant 9 */
  #whisper(text: string): void {
    check(!this.#whispers.has(text), 9, () => `the volatile message ${text} came twice`);
    this.#whispers.add(text);
    this.#options.coverage.saw('volatile');
  }

  snapshot(data: unknown, position: Position): void {
    const { channel, coverage } = this.#options;
    const { at } = this;
    check(
      position.epoch === at?.epoch && position.offset === at.offset,
      7,
      () => `a snapshot of ${channel} at ${place(position)} came at ${place(at)}`,
    );
    check(this.board !== null, 7, () => `a snapshot of ${channel} came, which has none`);
    this.board?.snapshot(data, position);
    coverage.saw('snapshot');
  }

  presence(members: ReadonlyMap<string, PresenceEntry>): void {
    this.#options.coverage.saw('presence');
    this.members = new Map(members);
  }

  #begin(position: Position | null): void {
    this.at = position;
    if (position !== null) this.skips?.begin(position);
  }
}

const place = (position: Position | null): string =>
  position === null ? 'nowhere' : `${position.epoch}-${position.offset}`;
