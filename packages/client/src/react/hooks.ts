import type {
  Contract,
  DefinitionOf,
  EventMeta,
  EventName,
  EventPayload,
  ParamsTuple,
  PatternOf,
  PresenceInput,
  PresenceMember,
  RunnelError,
  SnapshotPayload,
  SubscriptionState,
  Undeclared,
} from '@runnel/protocol';
import type { ReactElement, ReactNode } from 'react';
import type { ChannelOptions, ClientChannel } from '../channel.ts';
import type { ChannelArguments, Client } from '../client.ts';
import type { ChannelMessage, EventHandler } from '../messages.ts';
import type { Member } from '../presence.ts';
import type { Connection } from './connection-watch.ts';

export interface ProviderProps<C extends Contract<C>> {
  /** Made by the app, with `createClient`, and closed by it. On a server: with an absolute URL and `autoConnect: false`. */
  readonly client: Client<C>;
  readonly children?: ReactNode;
}

/** What follows a pattern where the channel may not be known yet: `null` or `undefined` in place of its parameters. */
export type MaybeChannelArguments<K extends string> =
  ParamsTuple<K> extends readonly [infer Params]
    ? [params: Params | null | undefined, options?: ChannelOptions]
    : [options?: ChannelOptions];

/** A handle of a channel that declares this part; the compiler names the type `Undeclared` where it does not. */
export type ChannelWith<
  Part extends 'presence' | 'snapshot',
  C extends Contract<C>,
  K extends PatternOf<C>,
> = ClientChannel<C, K> & (DefinitionOf<C, K> extends { readonly [P in Part]: unknown } ? unknown : Undeclared<Part>);

export interface UseMessagesOptions<C extends Contract<C>, K extends PatternOf<C>, E extends EventName<C, K>> {
  /** Which events. Default: all. */
  readonly events?: readonly E[];
  /** How many messages to keep at most; the oldest go. Default: 100. */
  readonly limit?: number;
  /** How many messages of the channel's history to begin with, from 1 to 256, whoever else has subscribed it before. Default: none. */
  readonly history?: DefinitionOf<C, K> extends { readonly history: unknown } ? number : Undeclared<'history'>;
  /** What to show first, the oldest first, for instance from the server that has rendered the page. Default: nothing. */
  readonly initial?: readonly ChannelMessage<C, K, NoInfer<E>>[];
}

export interface UsePresenceOptions<C extends Contract<C>, K extends PatternOf<C>> {
  /** What to be present with while the component is mounted; other data replace it. Default: not present by itself. */
  readonly enter?: PresenceInput<C, K> | null | undefined;
}

/** Who is present in a channel, and what makes us so. The functions are the same in each render. */
export interface Presence<C extends Contract<C>, K extends PatternOf<C>> {
  /** As last heard; empty before the channel is subscribed. */
  readonly members: readonly Member<PresenceMember<C, K>>[];
  /** Why we could not enter with the option `enter`; a `retryable` one is tried again with the next session. */
  readonly error: RunnelError | null;
  /** Is present until `leave()`, or until the channel's handle is closed. @throws as `channel.presence.enter` */
  readonly enter: (data: PresenceInput<C, K>) => Promise<void>;
  /** Is present with other data. @throws as `channel.presence.update` */
  readonly update: (data: PresenceInput<C, K>) => Promise<void>;
  readonly leave: () => Promise<void>;
}

/**
 * What an event makes of the channel's state, by event. Reducers are pure: they give a new state and leave the old one and the data as they are, which
 * others share. A snapshot may be ahead of its position, so an event that it holds already must make no difference: set a value, do not add to it.
 */
export type Reducers<C extends Contract<C>, K extends PatternOf<C>> = {
  readonly [E in EventName<C, K>]?: (
    state: SnapshotPayload<C, K>,
    data: EventPayload<C, K, E>,
    meta: EventMeta,
  ) => SnapshotPayload<C, K>;
};

export interface UseConnectionOptions {
  /** How long it may be reconnecting before it is called `lost`, ms. Default: 2,000. */
  readonly lostAfterMs?: number;
}

export interface UseChannel<C extends Contract<C>> {
  <K extends PatternOf<C>>(pattern: K, ...args: ChannelArguments<K>): ClientChannel<C, K>;
  /** Null while the pattern or its parameters are: `useChannel('room/:roomId', roomId === undefined ? null : { roomId })`. */
  <K extends PatternOf<C>>(
    pattern: K | null | undefined,
    ...args: MaybeChannelArguments<K>
  ): ClientChannel<C, K> | null;
}

/** The hooks of one contract. Made by `createHooks`. Where a channel is `null`, they do nothing. */
export interface Hooks<C extends Contract<C>> {
  /** Gives the components below it their client. */
  readonly RunnelProvider: (props: ProviderProps<C>) => ReactElement;

  /** The client of the nearest provider. @throws TypeError where there is none */
  readonly useClient: () => Client<C>;

  /**
   * A handle of one channel: `useChannel('room/:roomId', { roomId }, { rewind: 50 })`. It stays the same while pattern, parameters and options are equal by
   * value, and is closed when the component unmounts. It subscribes nothing by itself: that begins with the first hook or handler that listens to it.
   * @throws RunnelError `channel_invalid`, as `client.channel`
   */
  readonly useChannel: UseChannel<C>;

  /**
   * Calls `handler` with each event of that name from the moment on that the component is mounted. The handler may be another one in each render: the last
   * one is called, and nothing is subscribed anew.
   */
  readonly useEvent: <K extends PatternOf<C>, E extends EventName<C, K>>(
    channel: ClientChannel<C, K> | null,
    event: E,
    handler: EventHandler<C, K, E>,
  ) => void;

  /**
   * The latest messages of a channel, the oldest first: those that come while the component is mounted, each once, after what `rewind` of the handle or
   * `history` bring. The list is another one whenever it changes, and is never changed itself. `rewind` comes with the subscription, so only for who begins
   * it; `history` is one more question, and brings the same to everybody. What will never come is told by `channel.onGap`.
   * @throws RangeError for a limit below 1
   */
  readonly useMessages: <K extends PatternOf<C>, E extends EventName<C, K> = EventName<C, K>>(
    channel: ClientChannel<C, K> | null,
    options?: UseMessagesOptions<C, K, E>,
  ) => readonly ChannelMessage<C, K, E>[];

  /** Who is present. With `{ enter: data }` we are, while the component is mounted; of components that share a handle, only one should. */
  readonly usePresence: <K extends PatternOf<C>>(
    channel: ChannelWith<'presence', C, K> | null,
    options?: UsePresenceOptions<C, K>,
  ) => Presence<C, K>;

  /**
   * The channel's state: its snapshot, and what the reducers make of the events that follow; undefined before the first snapshot has come. Events without a
   * reducer leave it as it is. Each component folds for itself, and asks for a snapshot of its own if it comes to a channel that is subscribed already.
   */
  readonly useSnapshot: <K extends PatternOf<C>>(
    channel: ChannelWith<'snapshot', C, K> | null,
    reducers?: Reducers<C, K>,
  ) => SnapshotPayload<C, K> | undefined;

  /** Where the channel's subscription stands, for instance that it was refused. Subscribes nothing. */
  readonly useSubscription: <K extends PatternOf<C>>(channel: ClientChannel<C, K> | null) => SubscriptionState;

  /** Where the connection stands. A reconnect that is over in a moment never shows as `lost`. @throws RangeError for a negative `lostAfterMs` */
  readonly useConnection: (options?: UseConnectionOptions) => Connection;
}
