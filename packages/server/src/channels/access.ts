import type { Identity, PatternParams, Transport } from '@runnel/protocol';

/** What somebody asks to do with a channel. */
export type Action = 'subscribe' | 'publish' | 'request' | 'presence';

/** One session, as handlers and the rest of the app see it. */
export interface SessionInfo<I extends Identity> {
  /** Its public name, the same as in the `by` of its messages. */
  readonly client: string;
  /** Who is behind it now. */
  readonly user: I;
  /** What carries it, or carried it last. */
  readonly transport: Transport;
  /** False while no link carries it and it may yet come back, and once it has ended. */
  readonly connected: boolean;
  /** Names of the channels that it is subscribed to now. */
  readonly channels: readonly string[];
  /**
   * Ends it with the code `kicked`; its client does not come back by itself.
   *
   * @param reason told to the client, cut to 512 characters
   */
  kick(reason?: string): void;
}

/**
 * The question put to `authorize`: before each subscribe, publish, request and presence enter. And again for what lasts (subscriptions,
 * presence, streamed answers under way) whenever the session is resumed, its credentials are refreshed, or `reauthorize()` is called: a no
 * then ends it. `K` is the channel's pattern.
 */
export interface AuthorizeRequest<I extends Identity, K extends string = string> {
  readonly user: I;
  readonly params: string extends K ? { readonly [name: string]: string } : PatternParams<K>;
  /** The channel's name. */
  readonly channel: string;
  readonly action: Action;
  /** Of a publish. */
  readonly event?: string;
  /** Of a request. Reading the history, the members, their number or the snapshot is asked for as `subscribe`. */
  readonly method?: string;
  readonly session: SessionInfo<I>;
}
