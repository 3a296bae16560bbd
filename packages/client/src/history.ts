/** What a channel's log keeps, page by page. */
import type { Contract, DefinitionOf, PatternOf, Position, Undeclared } from '@runnel/protocol';
import type { AnyMessage } from './shared-channel.ts';
import type { CallOptions, SharedChannels } from './shared-channels.ts';

export interface HistoryOptions extends CallOptions {
  /** Messages of a page at most; a page of large messages has fewer. From 1 to 256. Default: 50. */
  readonly limit?: number;
  /** Only messages below this offset. */
  readonly before?: number;
  /** Only messages after this position, the oldest first. Default: backwards from the newest. */
  readonly since?: Position;
}

/** What `history` is given; the compiler names the type `Undeclared<'history'>` where the channel keeps none. */
export type HistoryArguments<C extends Contract<C>, K extends PatternOf<C>> =
  DefinitionOf<C, K> extends { readonly history: unknown }
    ? [options?: HistoryOptions]
    : [options: Undeclared<'history'>];

/** Some messages of a channel's log, the oldest first. */
export interface HistoryPage<M> {
  readonly messages: readonly M[];
  /** Where the log stood: after the newest message that there was, on this page or not. As `since` of a subscription it goes on from here. */
  readonly head: Position;
  /** False where messages are missing between `since` and this page, because they are not kept any more. */
  readonly complete: boolean;
  /** The page that follows: of older messages, or with `since` of newer ones. Null where there are none. */
  next(): Promise<HistoryPage<M> | null>;
}

/** A promise of the first page. Iterated over with `for await` it is this page and all that follow. */
export interface History<M> extends Promise<HistoryPage<M>>, AsyncIterable<HistoryPage<M>> {}

/** PROTOCOL §5.18: the answer of `$history`. */
interface HistoryAnswer {
  readonly epoch: string;
  readonly head: number;
  readonly complete: boolean;
  readonly messages: readonly { offset: number; event: string; data: unknown; by?: string }[];
}

export function readHistory(channels: SharedChannels, channel: string, options: HistoryOptions): History<AnyMessage> {
  const first = readPage(channels, channel, options);
  return Object.assign(first, {
    async *[Symbol.asyncIterator]() {
      for (let page: HistoryPage<AnyMessage> | null = await first; page !== null; page = await page.next()) yield page;
    },
  });
}

function readPage(
  channels: SharedChannels,
  channel: string,
  { limit, before, since, ...options }: HistoryOptions,
): Promise<HistoryPage<AnyMessage>> {
  const data = { limit, before, since };
  return channels.request({ channel, name: '$history', data }, options).then((answer) => {
    const { epoch, head, complete, messages } = answer as HistoryAnswer;
    /** Where the page that follows begins; null: there is none. */
    const from = (): Pick<HistoryOptions, 'before' | 'since'> | null => {
      const [oldest, newest] = [messages[0], messages.at(-1)];
      if (oldest === undefined || newest === undefined) return null;
      if (since === undefined) return oldest.offset <= 1 ? null : { before: oldest.offset };
      return newest.offset >= head ? null : { since: { epoch, offset: newest.offset } };
    };
    return {
      messages: messages.map(({ offset, event, data, by = null }) => ({
        event,
        data,
        meta: { id: `${epoch}-${offset}`, offset, by, self: channels.core.isOurs(by), recovered: false },
      })),
      head: { epoch, offset: head },
      complete,
      next: () => {
        const following = from();
        if (following === null) return Promise.resolve(null);
        const asked = { ...options, limit, before, ...following } as HistoryOptions;
        // Older messages of another log are none that came before these.
        return readPage(channels, channel, asked).then((page) =>
          (since !== undefined || page.head.epoch === epoch) && page.messages.length > 0 ? page : null,
        );
      },
    };
  });
}
