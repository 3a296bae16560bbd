/** What the applications of a world's nodes have done: what the broker has accepted of them, and how often each handler ran. */

import type { Alarm } from './alarm.ts';
import type { AppNodeOptions } from './app-node.ts';
import { ChannelTruth } from './channel-truth.ts';
import type { Coverage } from './coverage.ts';
import type { EventLog } from './event-log.ts';
import { Violation } from './violation.ts';

export interface AppRecordOptions {
  readonly log: EventLog;
  readonly coverage: Coverage;
  readonly alarm: Alarm;
}

export class AppRecord implements Pick<AppNodeOptions, 'onAccepted' | 'onRun'> {
  readonly truth = new ChannelTruth();
  readonly #options: AppRecordOptions;
  /** How often the handler of a request ran, by its payload. */
  readonly #runs = new Map<string, number>();

  constructor(options: AppRecordOptions) {
    this.#options = options;
  }

  readonly onAccepted: AppNodeOptions['onAccepted'] = (channel, text, { epoch, offset }) => {
    const { log, alarm } = this.#options;
    log.add('broker', 'accepted', `${channel} ${epoch}-${offset} ${text}`);
    alarm.guard(() => this.truth.note(channel, epoch, offset, text));
  };

  readonly onRun: AppNodeOptions['onRun'] = (method, text) => {
    const { coverage, alarm } = this.#options;
    const runs = (this.#runs.get(text) ?? 0) + 1;
    this.#runs.set(text, runs);
    if (runs === 1) return;
    if (method === 'again') coverage.saw('ran again');
    else alarm.raise(new Violation(8, `${method} of ${text} ran ${runs} times`));
  };

  /** Invariant 8: publishes of one client to one channel are in order, where none was sent again after others: what has failed once is. */
  checkOrder(): void {
    const { counts } = this.#options.coverage;
    if (!counts.has('handler failure') && !counts.has('broker failure')) this.truth.checkOrder();
  }

  hasRun(text: string): boolean {
    return this.#runs.has(text);
  }
}
