/** What stands in the log of each channel, as far as anybody has seen: invariants 7 and 8 compare with it. */
import { check } from './violation.ts';

interface Log {
  readonly byOffset: Map<number, string>;
  readonly byText: Map<string, number>;
}

export class ChannelTruth {
  /** By channel and epoch. */
  readonly #logs = new Map<string, Log>();
  readonly #texts = new Set<string>();
  /** What was published with success. */
  readonly #answered = new Set<string>();

  /** `text` stands at `offset`: so the broker has said, or a subscriber was told. */
  note(channel: string, epoch: string, offset: number, text: string): void {
    const name = `${channel} ${epoch}`;
    const log = this.#logs.get(name) ?? { byOffset: new Map<number, string>(), byText: new Map<string, number>() };
    this.#logs.set(name, log);
    const known = log.byOffset.get(offset);
    check(
      known === undefined || known === text,
      7,
      () => `offset ${offset} of ${name} is ${known} to one and ${text} to another`,
    );
    const at = log.byText.get(text);
    check(at === undefined || at === offset, 8, () => `${text} is in the log of ${name} twice: ${at} and ${offset}`);
    log.byOffset.set(offset, text);
    log.byText.set(text, offset);
    this.#texts.add(text);
  }

  /** What is known of one epoch: texts by offset, in no order. */
  log(channel: string, epoch: string): ReadonlyMap<number, string> {
    return this.#logs.get(`${channel} ${epoch}`)?.byOffset ?? new Map();
  }

  /** The publish of `text` was answered, so it has to be in a log. */
  answered(text: string): void {
    check(this.#texts.has(text), 8, () => `the publish of ${text} was answered, and nobody has accepted it`);
    this.#answered.add(text);
  }

  /**
   * Publishes of one client to one channel run one after another: the numbers of those that were answered rise with the offsets. Texts are
   * `client.number`. One that was given up may still be on its way to the broker when the next one runs.
   */
  checkOrder(): void {
    for (const [name, { byOffset }] of this.#logs) {
      const last = new Map<string, number>();
      for (const [offset, text] of [...byOffset].sort(([a], [b]) => a - b)) {
        if (!this.#answered.has(text)) continue;
        const [client = '', number] = text.split('.');
        const before = last.get(client) ?? 0;
        check(Number(number) > before, 8, () => `${text} stands at ${offset} of ${name} after number ${before}`);
        last.set(client, Number(number));
      }
    }
  }
}
