import { checkDefinition } from './declaration.ts';
import type { Duration } from './duration.ts';
import type { DeclaredSchema, OutputOf, TypedSchema } from './standard-schema.ts';

/** An event that may be dropped and is never counted, replayed or kept in history. Made by {@link volatile}. */
export interface Volatile<S extends DeclaredSchema = DeclaredSchema> {
  readonly kind: 'volatile';
  readonly schema: S;
}

/** What {@link Latest} messages are told apart by. */
export type LatestKey = string | number;

/** An event of which a slow consumer gets only the newest message per key. Made by {@link latestBy}. */
export interface Latest<S extends DeclaredSchema = DeclaredSchema> {
  readonly kind: 'latest';
  readonly schema: S;
  /** Takes the schema's output. Its parameter is `never` here so that any `Latest<S>` is a `Latest`. */
  readonly key: (value: never) => LatestKey;
}

/** A `publish` entry that goes straight to the channel's subscribers. Written as {@link relay}. */
export interface Relay {
  readonly kind: 'relay';
}

/** How an entry of `events` is declared. A bare schema is counted: delivered exactly once and in order. */
export type EventDeclaration = DeclaredSchema | Volatile | Latest;

/** How an entry of `publish` is declared: a schema (plain or volatile) has a handler on the server, `relay` has none. */
export type PublishDeclaration = DeclaredSchema | Volatile | Relay;

/** How an entry of `requests` is declared. */
export interface RequestDeclaration {
  /** What the client asks with. Default: nothing, and the handler's data is `undefined`. */
  readonly input?: DeclaredSchema;
  /** What the handler answers. Default: nothing, and the client gets `null`. */
  readonly output?: DeclaredSchema;
  /** The typed failures of this request, by name, with the data each one carries. Default: none. */
  readonly errors?: { readonly [name: string]: DeclaredSchema };
  /**
   * One part of a streamed answer. Parts come before the output, in order, and only as fast as the client reads them: its
   * handler is an async generator, which yields parts and returns the output, and clients ask with `iterate()`. Default: the
   * answer comes in one piece, and clients ask with `request()`.
   */
  readonly yields?: DeclaredSchema;
  /**
   * Whether it may run again. When a session is lost, nobody knows how far the requests under way have come: one that is
   * idempotent is run again in the next session, any other rejects with `indeterminate`; as does a streamed one of which a
   * part has arrived. Default: false.
   */
  readonly idempotent?: boolean;
}

/**
 * How presence is declared: one schema for what a client enters with and what members see; or two, where the server
 * turns the one into the other and so vouches for what it adds.
 */
export type PresenceDeclaration = DeclaredSchema | { readonly input: DeclaredSchema; readonly member: DeclaredSchema };

/** How many messages a channel's log keeps, and for how long; whichever bound is met first counts. */
export interface HistoryDeclaration {
  /** Messages, from 1 to 10,000. */
  readonly size: number;
  /** Milliseconds, or a string such as `'1h'`; at most 365 days. */
  readonly ttl: Duration;
}

/**
 * What becomes of the messages for a subscriber who does not keep up, because its socket does not drain or it is out of
 * reach. Volatile events are dropped either way, and of `latestBy` events the newest per key are kept.
 *
 * - `'disconnect'`: all are kept, up to the bounds of the session's outbox (4 MiB, 16,384 frames). Beyond those the link is
 *   cut with `slow_consumer`, and the client recovers from the channel's history when it is back.
 * - `'drop-oldest'`: they wait, up to 1,000 or 1 MiB for each channel. Beyond that the oldest are dropped, and the client is
 *   told which: `onGap`.
 */
export type SlowPolicy = 'disconnect' | 'drop-oldest';

/** The declaration of one channel pattern: everything that may pass through it, in either direction. */
export interface Definition {
  /** Server → subscribers. At least one. */
  readonly events: { readonly [name: string]: EventDeclaration };
  /** Client → server: the whole list of what clients may send. Default: nothing. */
  readonly publish?: { readonly [name: string]: PublishDeclaration };
  /** Questions with one answer each, or a streamed one. Default: none. */
  readonly requests?: { readonly [name: string]: RequestDeclaration };
  /** Data of those who are here. Default: the channel has no presence. */
  readonly presence?: PresenceDeclaration;
  /** Default: no log, and what is missed in a lost session is not recovered. */
  readonly history?: HistoryDeclaration;
  /**
   * The channel's state, which a subscriber starts from. The server's `snapshot` handler reads it, and the client gets it
   * (`onSnapshot`) before any message that came after it, unless all that it missed is recovered from the history: a gap in
   * the messages is then no gap in the state. Default: none.
   */
  readonly snapshot?: DeclaredSchema;
  /** What a subscriber who does not keep up loses: its link, or the oldest messages. Default: `'disconnect'`. */
  readonly onSlow?: SlowPolicy;
}

/** A declared channel. `D` is what was declared, exactly. */
export interface Channel<D extends Definition = Definition> {
  readonly kind: 'channel';
  readonly definition: D;
}

declare const mistake: unique symbol;

/** Nothing is assignable to it, so the compiler names it where something is wrong, and its argument says what to do. */
export interface Mistake<Says extends string> {
  readonly [mistake]: Says;
}

/** What {@link channel} asks of `D` beyond {@link Definition}: each relayed event is declared, no option is unknown. */
export type CheckedDefinition<D> = {
  readonly [N in Exclude<
    keyof D,
    keyof Definition
  >]: Mistake<`channel() has no option ${Extract<N, string>}: it has events, publish, requests, presence, history, snapshot and onSlow`>;
} & (D extends { readonly publish: infer P; readonly events: infer E }
  ? {
      readonly publish: {
        readonly [N in Exclude<
          RelayedIn<P>,
          keyof E
        >]: Mistake<`publish relays ${Extract<N, string>}: declare it in events too`>;
      };
    }
  : unknown);

/** The relayed names of a publish table. */
export type RelayedIn<P> = { [N in keyof P]: P[N] extends Relay ? N : never }[keyof P];

/**
 * Declares one channel.
 *
 * @throws RunnelError `contract_invalid` for anything that {@link Definition} or the contract's limits rule out
 */
export function channel<const D extends Definition>(definition: D & CheckedDefinition<D>): Channel<D> {
  checkDefinition(definition);
  return Object.freeze({ kind: 'channel', definition });
}

/** Lets clients send an event of the same name straight to the channel's subscribers; volatile if that event is. */
export const relay: Relay = Object.freeze({ kind: 'relay' });

/**
 * Marks an event as one that may be dropped: never counted, replayed or kept in history. In `publish`, a message to the
 * server's handler that has no answer.
 */
export function volatile<S extends DeclaredSchema>(schema: S): Volatile<S> {
  return Object.freeze({ kind: 'volatile', schema });
}

/**
 * Marks an event as state: while a consumer is slow, only the newest message per key waits for it.
 *
 * @param key names the thing that a message is about; it gets the schema's output
 */
export function latestBy<S extends TypedSchema>(schema: S, key: (value: OutputOf<S>) => LatestKey): Latest<S> {
  return Object.freeze({ kind: 'latest', schema, key });
}
