// The steps that the types of `inference.ts` are made of. They take a definition, or a table or entry of one, apart.
import type { Relay, Volatile } from './channel.ts';
import type { DeclaredSchema, InputOf, OutputOf, TypedSchema } from './standard-schema.ts';
import type { WireForm, WireInput } from './wire-form.ts';

declare const undeclared: unique symbol;

/**
 * Stands where the contract declares nothing, so that the compiler's message says what is missing: `Undeclared<'presence'>`
 * instead of `never`, to which nothing and from which everything is assignable.
 */
export interface Undeclared<What extends string> {
  readonly [undeclared]: What;
}

/** Property `N` of a declaration `D`, or what says that it is not declared. */
export type Part<D, N extends string> = D extends { readonly [P in N]: infer V } ? V : Undeclared<N>;

/** The names in `N`, or what says that there are none. */
export type OrUndeclared<N, What extends string> = [Extract<N, string>] extends [never]
  ? Undeclared<What>
  : Extract<N, string>;

// The schema behind a declaration: itself, or what `volatile` or `latestBy` wraps.
type SchemaIn<D> = D extends DeclaredSchema ? D : D extends { readonly schema: DeclaredSchema } ? D['schema'] : D;

/** What a writer on the server gives for a declaration; what is undeclared stays so. */
export type DeclaredInput<D> = SchemaIn<D> extends infer S ? (S extends TypedSchema ? InputOf<S> : S) : never;

/** What a reader on the server gets for a declaration; what is undeclared stays so. */
export type DeclaredOutput<D> = SchemaIn<D> extends infer S ? (S extends TypedSchema ? OutputOf<S> : S) : never;

/** What a client gives for a declaration; what is undeclared stays so. */
export type SentInput<D> = SchemaIn<D> extends infer S ? (S extends TypedSchema ? WireInput<InputOf<S>> : S) : never;

/** What a client gets for a declaration; what is undeclared stays so. */
export type ReceivedOutput<D> =
  SchemaIn<D> extends infer S ? (S extends TypedSchema ? WireForm<OutputOf<S>> : S) : never;

/** Entry `N` of a table, or what says that there is none. */
export type EntryOf<T, N> = N extends keyof T ? T[N] : Undeclared<Extract<N, string>>;

/** What is declared, or `Default` where nothing is. */
export type OrDefault<D, Default> = D extends Undeclared<string> ? Default : D;

/** The declaration that a publish is checked by: for a relay, that of the event. */
export type PublishSchema<P, Events, N> = EntryOf<P, N> extends Relay ? EntryOf<Events, N> : EntryOf<P, N>;

/** The union of a table of failures as a client gets them. */
export type Failures<E> = {
  [N in Extract<keyof E, string>]: { readonly code: N; readonly data: ReceivedOutput<E[N]> };
}[Extract<keyof E, string>];

/** The volatile names of a publish table: declared so, or relays of events that are. */
export type VolatileIn<P, Events> = {
  [N in keyof P]: P[N] extends Volatile
    ? N
    : P[N] extends Relay
      ? N extends keyof Events
        ? Events[N] extends Volatile
          ? N
          : never
        : never
      : never;
}[keyof P];

/** The names of a request table whose answers are streamed. */
export type StreamedIn<R> = { [N in keyof R]: R[N] extends { readonly yields: DeclaredSchema } ? N : never }[keyof R];

/** One half of a presence declaration; a single schema is both. */
export type PresencePart<D, N extends 'input' | 'member'> =
  Part<D, 'presence'> extends infer P
    ? P extends DeclaredSchema
      ? P
      : P extends { readonly [Q in N]: infer S }
        ? S
        : P
    : never;
