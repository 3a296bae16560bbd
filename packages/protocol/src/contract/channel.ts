import { checkDefinition } from './declaration.ts';
import type { Duration } from './duration.ts';
import type { OutputOf, StandardSchema } from './standard-schema.ts';

/** An event that may be dropped and is never counted, replayed or kept in history. Made by {@link volatile}. */
export interface Volatile<S extends StandardSchema = StandardSchema> {
  readonly kind: 'volatile';
  readonly schema: S;
}

/** What {@link Latest} messages are told apart by. */
export type LatestKey = string | number;

/** An event of which a slow consumer gets only the newest message per key. Made by {@link latestBy}. */
export interface Latest<S extends StandardSchema = StandardSchema> {
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
export type EventDeclaration = StandardSchema | Volatile | Latest;

/** How an entry of `publish` is declared: a schema (plain or volatile) has a handler on the server, `relay` has none. */
export type PublishDeclaration = StandardSchema | Volatile | Relay;

/** How an entry of `requests` is declared. */
export interface RequestDeclaration {
  /** What the client asks with. Default: nothing, and the handler's data is `undefined`. */
  readonly input?: StandardSchema;
  /** What the handler answers. Default: nothing, and the client gets `null`. */
  readonly output?: StandardSchema;
  /** The typed failures of this request, by name, with the data each one carries. Default: none. */
  readonly errors?: { readonly [name: string]: StandardSchema };
  /** What the handler streams before its output. Default: the answer is not streamed. */
  readonly yields?: StandardSchema;
  /** Whether it may be asked again after a lost session; otherwise it rejects as indeterminate. Default: false. */
  readonly idempotent?: boolean;
}

/**
 * How presence is declared: one schema for what a client enters with and what members see; or two, where the server
 * turns the one into the other and so vouches for what it adds.
 */
export type PresenceDeclaration = StandardSchema | { readonly input: StandardSchema; readonly member: StandardSchema };

/** How many messages a channel's log keeps, and for how long; whichever bound is met first counts. */
export interface HistoryDeclaration {
  /** Messages, from 1 to 10,000. */
  readonly size: number;
  /** Milliseconds, or a string such as `'1h'`; at most 365 days. */
  readonly ttl: Duration;
}

/** What becomes of a consumer whose socket does not drain: it is cut and recovers, or its oldest messages are skipped. */
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
  /** The state that a subscriber starts from. Default: none. */
  readonly snapshot?: StandardSchema;
  /** Default: `'disconnect'`. */
  readonly onSlow?: SlowPolicy;
}

/** A declared channel. `D` is what was declared, exactly. */
export interface Channel<D extends Definition = Definition> {
  readonly kind: 'channel';
  readonly definition: D;
}

declare const mistake: unique symbol;

/** The compiler names this type where `relay` stands beside a name that `events` does not declare. */
export interface RelayedEventMissing<Name extends PropertyKey> {
  readonly [mistake]: Name;
}

/** The compiler names this type where a definition has an option that does not exist. */
export interface UnknownOption<Name extends PropertyKey> {
  readonly [mistake]: Name;
}

/** What {@link channel} asks of `D` beyond {@link Definition}: each relayed event is declared, no option is unknown. */
export type CheckedDefinition<D> = {
  readonly [N in Exclude<keyof D, keyof Definition>]: UnknownOption<N>;
} & (D extends { readonly publish: infer P; readonly events: infer E }
  ? { readonly publish: { readonly [N in Exclude<RelayedIn<P>, keyof E>]: RelayedEventMissing<N> } }
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
export function volatile<S extends StandardSchema>(schema: S): Volatile<S> {
  return Object.freeze({ kind: 'volatile', schema });
}

/**
 * Marks an event as state: while a consumer is slow, only the newest message per key waits for it.
 *
 * @param key names the thing that a message is about; it gets the schema's output
 */
export function latestBy<S extends StandardSchema>(schema: S, key: (value: OutputOf<S>) => LatestKey): Latest<S> {
  return Object.freeze({ kind: 'latest', schema, key });
}
