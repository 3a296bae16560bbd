import type { Broker, BrokerListener, LogEntry, NewEntry, PresenceAnnouncement } from '@runnel/server';
import { Collector } from '../support/collector.ts';

/** Of a message that only shows that those before it have come. */
const MARK = 'mark';

/** Keeps what it hears of a channel. */
export class Recorder implements BrokerListener {
  readonly messages = new Collector<LogEntry & { readonly epoch: string }>();
  readonly volatiles = new Collector<NewEntry>();
  readonly announcements = new Collector<PresenceAnnouncement>();
  readonly #marks = new Collector<string>();

  get entries(): readonly LogEntry[] {
    return this.messages.items;
  }
  get data(): number[] {
    return this.messages.items.map(({ data }) => Number(data));
  }
  get epochs(): string[] {
    return [...new Set(this.messages.items.map(({ epoch }) => epoch))];
  }

  message(entry: LogEntry, epoch: string): void {
    this.messages.push({ ...entry, epoch });
  }

  volatile(entry: NewEntry): void {
    if (entry.event === MARK) this.#marks.push(entry.data);
    else this.volatiles.push(entry);
  }

  presence(announcement: PresenceAnnouncement): void {
    this.announcements.push(announcement);
  }

  /** Resolves when what was published to the channel by now has come to whoever listens on this broker. */
  static async settle(broker: Broker, channel: string): Promise<void> {
    const last = new Recorder();
    await broker.subscribe(channel, last);
    broker.send(channel, { event: MARK, data: '0' });
    await last.#marks.count(1);
    broker.unsubscribe(channel, last);
  }
}

export const entryOf = (data: number): NewEntry => ({ event: 'message', data: String(data) });

export async function dataOf(broker: Broker, channel: string): Promise<number[]> {
  return (await broker.read(channel, {})).entries.map(({ data }) => Number(data));
}
