import type { Page } from '../drivers/browser.ts';
import { eventually } from '../eventually.ts';
import type { Record, Recorder, TabName } from './record.ts';

/** The recorder's page in some browser. */
export class RecorderTab<P extends Page = Page> {
  readonly page: P;

  constructor(page: P) {
    this.page = page;
  }

  /** Null while the page is not there, or is another. */
  record(): Promise<Record | null> {
    return this.page.evaluate(() => {
      const { recorder } = globalThis as { recorder?: Recorder };
      return recorder?.record() ?? null;
    }, null);
  }

  async say(count: number): Promise<void> {
    await this.page.evaluate((count) => (globalThis as { recorder?: Recorder }).recorder?.say(count), count);
  }

  /** Waits until the record is as it should be. */
  async until(what: string, isRight: (record: Record) => boolean): Promise<Record> {
    const record = await eventually(
      what,
      // While it comes and goes there may be no page to ask.
      () => this.record().catch(() => null),
      (record) => record !== null && isRight(record),
    );
    return record as Record;
  }

  /** Waits until it has so many numbers, and all of its own are answered. */
  has(count: number): Promise<Record> {
    return this.until(
      `${count} numbers, and answers`,
      ({ numbers, unanswered }) => numbers.length >= count && unanswered.length === 0,
    );
  }

  /** Waits until it is connected over `tab`, where that is a transport. */
  connected(tab: TabName): Promise<Record> {
    return this.until(
      `an open connection over ${tab}`,
      ({ subscribed, transport }) => subscribed && transport === (tab === 'auto' ? 'websocket' : tab),
    );
  }
}
