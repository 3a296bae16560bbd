/** What one tab wants of a channel's past, asked for beside the subscription that all tabs have in common. */
import { type AppDownFrame, type Position, RunnelError, type SubscribeOptions, Type } from '@runnel/protocol';

export interface BacklogOptions {
  readonly from: SubscribeOptions;
  /** Where the common subscription stands now. What comes after it is kept for the tab meanwhile. */
  readonly position: Position;
  readonly head: number;
  readonly n: number;
  readonly events: readonly string[];
  /** What the contract declares; null: not known yet. Filled in here. */
  readonly declares: { history: boolean | null; snapshot: boolean | null };
  /** Rejects with the server's error. */
  readonly ask: (method: string, data: unknown) => Promise<unknown>;
}

/** How the tab's subscription begins. */
export interface LogOpening {
  readonly offset: number;
  readonly head: number;
  readonly recovered: boolean | null;
  /** Messages, and the snapshot. */
  readonly frames: readonly AppDownFrame[];
}

/** PROTOCOL §5.18: the answer of `$history`. */
interface HistoryPage {
  readonly epoch: string;
  readonly head: number;
  readonly complete: boolean;
  readonly messages: readonly LogMessage[];
}

interface LogMessage {
  readonly offset: number;
  readonly event: string;
  readonly data: unknown;
  readonly by?: string;
}

/** Messages of one page; the server gives no more. */
const PAGE_MAX = 256;

export class Backlog {
  readonly #options: BacklogOptions;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** @throws RunnelError rejects with what the tab is told */
  async read(): Promise<LogOpening> {
    const { position, head } = this.#options;
    const { since } = this.#options.from;
    const log = await this.#log();
    const recovered = since === undefined ? null : (log?.complete ?? false);
    const state = recovered === true ? null : await this.#asked('snapshot', null);
    // With the state, only what was asked for by `rewind` is replayed (PROTOCOL §5.25).
    const messages = log === null || (state !== null && since !== undefined) ? [] : log.messages;
    const top = Math.max(head, log?.head ?? 0);
    const begin =
      recovered === true ? (since?.offset ?? 0) : beginning(messages, since === undefined ? head : position.offset);
    const frames = this.#frames(messages, begin);
    if (state !== null) frames.push([Type.snapshot, this.#options.n, (state as { readonly data?: unknown }).data]);
    return { offset: begin, head: top, recovered, frames };
  }

  /** Null where none is wanted or kept. */
  async #log(): Promise<HistoryPage | null> {
    const { since, rewind = 0 } = this.#options.from;
    if (since !== undefined) return this.#since(since);
    return rewind > 0 ? this.#latest(rewind) : null;
  }

  async #since(since: Position): Promise<HistoryPage | null> {
    const messages: LogMessage[] = [];
    let from = since;
    let complete = true;
    for (;;) {
      const page = await this.#page({ since: from, limit: PAGE_MAX });
      if (page === null) return null;
      complete &&= page.complete;
      messages.push(...page.messages);
      const newest = page.messages.at(-1);
      if (newest === undefined || newest.offset >= page.head) return { ...page, complete, messages };
      from = { epoch: page.epoch, offset: newest.offset };
    }
  }

  async #latest(count: number): Promise<HistoryPage | null> {
    let messages: readonly LogMessage[] = [];
    for (;;) {
      const before = messages[0]?.offset;
      const limit = Math.min(count - messages.length, PAGE_MAX);
      const page = await this.#page(before === undefined ? { limit } : { limit, before });
      if (page === null) return null;
      messages = [...page.messages, ...messages];
      if (page.messages.length === 0 || messages.length >= count || (messages[0]?.offset ?? 1) <= 1)
        return { ...page, messages };
    }
  }

  async #page(query: {
    readonly since?: Position;
    readonly before?: number;
    readonly limit: number;
  }): Promise<HistoryPage | null> {
    const page = (await this.#asked('history', query)) as HistoryPage | null;
    // Another log than the one that is subscribed: the subscription will be told of it, and the tab asks again.
    if (page !== null && page.epoch !== this.#options.position.epoch)
      throw new RunnelError('broker_failed', 'the log of the channel was begun anew');
    return page;
  }

  /** Null where the contract declares no such thing. */
  async #asked(what: 'history' | 'snapshot', data: unknown): Promise<unknown> {
    const { ask, declares } = this.#options;
    if (declares[what] === false) return null;
    try {
      const answer = await ask(`$${what}`, data);
      declares[what] = true;
      return answer;
    } catch (error) {
      if (!RunnelError.is(error) || error.code !== 'unknown_method') throw error;
      declares[what] = false;
      return null;
    }
  }

  #frames(messages: readonly LogMessage[], begin: number): AppDownFrame[] {
    const { n, events } = this.#options;
    let prev = begin;
    const frames: AppDownFrame[] = [];
    for (const { offset, event, data, by } of messages) {
      frames.push([Type.message, n, [offset, prev], events.indexOf(event), data, by === undefined ? {} : { by }]);
      prev = offset;
    }
    return frames;
  }
}

/** The position before the first of them, or where there are none, where it goes on. */
const beginning = (messages: readonly LogMessage[], otherwise: number): number =>
  messages[0] === undefined ? otherwise : messages[0].offset - 1;
