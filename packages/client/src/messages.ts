/** The messages of a channel, as handlers get them and as they are iterated over. */
import {
  type Contract,
  type EventMeta,
  type EventName,
  type EventPayload,
  type PatternOf,
  RunnelError,
} from '@runnel/protocol';
import { Inbox } from './inbox.ts';
import type { Sink } from './shared-channel.ts';

/** Gets an event's payload, and how it came. The payload is shared by all handlers. */
export type EventHandler<C extends Contract<C>, K extends PatternOf<C>, E extends EventName<C, K>> = (
  data: EventPayload<C, K, E>,
  meta: EventMeta,
) => void;

/** One message of the events `E`, by default of all; `event` tells which. */
export type ChannelMessage<
  C extends Contract<C>,
  K extends PatternOf<C>,
  E extends EventName<C, K> = EventName<C, K>,
> = {
  [N in E]: { readonly event: N; readonly data: EventPayload<C, K, N>; readonly meta: EventMeta };
}[E];

export interface MessagesOptions {
  /** Ends it, like `return()`. */
  readonly signal?: AbortSignal;
  /** How many messages may wait to be read. Default: 1,000. */
  readonly bound?: number;
  /** What becomes of it when more than that wait: it fails with `slow_consumer`, or the oldest are dropped. Default: `fail`. */
  readonly overflow?: 'fail' | 'drop-oldest';
}

/** Messages as they come, read once. `break` and `return()` end it, and what was not read then is dropped. */
export interface MessageIterator<M> extends AsyncIterableIterator<M, undefined> {
  /** How many messages `drop-oldest` has dropped. */
  readonly dropped: number;
  return(): Promise<IteratorResult<M, undefined>>;
}

const BOUND = 1_000;

/**
 * @param channel its name
 * @param feed begins to fill it; returns what stops that
 */
export function iterateMessages(
  channel: string,
  { bound = BOUND, overflow = 'fail', signal }: MessagesOptions,
  feed: (sink: Sink) => () => void,
): MessageIterator<unknown> {
  if (!(bound >= 1)) throw new RangeError(`bound is ${bound}; it must be at least 1.`);
  if (overflow !== 'fail' && overflow !== 'drop-oldest') {
    throw new TypeError(`overflow is ${overflow}; it must be 'fail' or 'drop-oldest'.`);
  }
  const inbox = new Inbox<unknown>({
    bound,
    overflow: () =>
      overflow === 'fail'
        ? new RunnelError(
            'slow_consumer',
            `${bound} messages of "${channel}" wait to be read: see { bound, overflow }.`,
          )
        : null,
    onEnd: () => {
      signal?.removeEventListener('abort', abort);
      stop();
    },
  });
  const abort = (): void => void inbox.return();
  const stop = feed({ next: (message) => inbox.push(message), end: (error) => inbox.end(error) });
  if (signal?.aborted) abort();
  else signal?.addEventListener('abort', abort);
  return inbox;
}
