/**
 * The client for browsers that lack what the last ten years brought. `dist/es5/runnel.js` is built from this, with the files of this folder in place of
 * those that they stand in for. Handles are those of the client, without what needs iterators and symbols.
 */
import type { Contract, PatternOf, RequestInput, RequestOutput, RequestYields, StreamedName } from '@runnel/protocol';
import type { RequestArguments } from '../answer.ts';
import type { ClientChannel } from '../channel.ts';
import { type ChannelArguments, type Client, type ClientOptions, createClient as create } from '../client.ts';
import type { HistoryArguments, HistoryPage } from '../history.ts';
import type { ChannelMessage } from '../messages.ts';
import type { MessageObserver } from '../observable.ts';
import type { IterateOptions } from '../streamed-answer.ts';
import type { LegacyAnswer } from './streamed-answer.ts';

export { RunnelError } from '@runnel/protocol';
export type { LegacyAnswer };

/** Those of the client; `headers` are not for browsers, and what `share` takes is not there. */
export type LegacyClientOptions = Omit<ClientOptions, 'headers' | 'share' | 'environment'>;

/** A client as {@link createClient} of this entry makes it. Its promises are the bundle's own: all have `then`, `catch` and `finally`. */
export interface LegacyClient<C extends Contract<C>> extends Omit<Client<C>, 'channel' | symbol> {
  /** A handle of one channel, as `client.channel` gives it elsewhere. */
  channel<K extends PatternOf<C>>(pattern: K, ...args: ChannelArguments<K>): LegacyChannel<C, K>;
}

/** What is told of a channel's messages, with `subscribe`. */
export interface LegacyObservable<M> {
  subscribe(observer: MessageObserver<M> | ((message: M) => void)): { unsubscribe(): void };
}

/** A handle of one channel: what `ClientChannel` has, by callbacks. */
export interface LegacyChannel<C extends Contract<C>, K extends PatternOf<C>>
  extends Omit<ClientChannel<C, K>, 'messages' | 'observe' | 'iterate' | 'history' | symbol> {
  /** The messages of all events; the channel is subscribed while somebody observes. */
  observe(): LegacyObservable<ChannelMessage<C, K>>;
  /**
   * Asks for a streamed answer: `room.iterate('ask', prompt).each(function (part) { … }).then(function (output) { … })`. It is asked at once, and the
   * server's handler keeps at most `ahead` parts ahead of `each`.
   * @throws RangeError at once for an `ahead` that cannot be
   */
  iterate<R extends StreamedName<C, K>>(
    name: R,
    ...args: RequestArguments<RequestInput<C, K, R>, IterateOptions>
  ): LegacyAnswer<RequestYields<C, K, R>, RequestOutput<C, K, R>>;
  /** A page of the channel's log; `next()` of it asks for the one that follows. */
  history(...args: HistoryArguments<C, K>): Promise<HistoryPage<ChannelMessage<C, K>>>;
}

/**
 * Connects to a Runnel server.
 *
 * @param url the server's path, relative to the page, or its http(s) or ws(s) URL
 * @throws TypeError for a URL or transports that cannot be
 */
export const createClient: <C extends Contract<C>>(url: string, options?: LegacyClientOptions) => LegacyClient<C> =
  create as never;
