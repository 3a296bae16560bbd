/**
 * Looks whether messages were lost between the broker and this node (SESSION N8): a message that is lost shows when the next one comes,
 * but nothing comes after the last one. So the heads of all channels are read now and then, and when the broker was out of reach and is
 * back. A broker that does not speak of trouble loses nothing, and is not asked.
 */
import type { Broker } from './brokers/broker.ts';
import type { HubChannel } from './hub-channel.ts';
import type { Timing } from './timing.ts';

/** Between two rounds, ms: at least, and for each channel, so that many of them do not keep the broker busy. */
const ROUND_MS = { least: 10_000, perChannel: 1 } as const;
/** Channels asked for at a time. */
const CHANNELS_AT_A_TIME = 256;

export interface HubHeadsOptions {
  readonly broker: Broker;
  readonly clock: Timing;
  readonly channels: ReadonlyMap<string, HubChannel>;
}

export class HubHeads {
  readonly #options: HubHeadsOptions;
  readonly #stopWatching: () => void;
  /** Takes back the timer of the next round; null while there is none. */
  #cancelTimer: (() => void) | null = null;
  /** When the broker was lost last. */
  #lostAt = 0;
  /** Rounds begun. A round ends when another begins. */
  #round = 0;
  #closed = false;

  constructor(options: HubHeadsOptions) {
    this.#options = options;
    const { broker, clock } = options;
    this.#stopWatching =
      broker.watch?.({
        lost: () => {
          this.#lostAt = clock.now();
        },
        restored: () => void this.#look(clock.now() - this.#lostAt),
      }) ?? (() => {});
  }

  /** There is a channel, maybe the first. */
  begin(): void {
    const { broker, clock, channels } = this.#options;
    if (broker.watch === undefined || this.#cancelTimer !== null || this.#closed) return;
    const ms = Math.max(ROUND_MS.least, channels.size * ROUND_MS.perChannel);
    this.#cancelTimer = clock.after(ms, () => void this.#goRound());
  }

  close(): void {
    this.#closed = true;
    this.#round += 1;
    this.#stopWatching();
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  async #goRound(): Promise<void> {
    await this.#look(null);
    this.#cancelTimer = null;
    if (this.#options.channels.size > 0) this.begin();
  }

  async #look(outageMs: number | null): Promise<void> {
    const { broker, channels } = this.#options;
    this.#round += 1;
    const round = this.#round;
    const names = [...channels.keys()];
    for (let from = 0; from < names.length; from += CHANNELS_AT_A_TIME) {
      const asked = names.slice(from, from + CHANNELS_AT_A_TIME);
      // Null: the broker is out of reach once more, and will say when it is back.
      const heads = await broker.heads(asked).catch(() => null);
      if (heads === null || this.#round !== round) return;
      for (const name of asked) channels.get(name)?.check(heads.get(name), outageMs);
    }
  }
}
