declare const unsendable: unique symbol;

/**
 * Stands in a payload's type where something cannot travel, so that the compiler's message names it. JSON and bytes
 * travel; a `bigint`, `Map`, `Set`, function and the like do not.
 */
export interface Unsendable<What extends string> {
  readonly [unsendable]: What;
}

/** What JSON gives back as it was; `undefined` only as a property, which JSON leaves out. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * What `T` is after a trip to a client: a `Date`, like all that has `toJSON`, is what that returns; bytes arrive as
 * `Uint8Array`; `undefined` in a list, or as a whole payload, arrives as `null`; what cannot travel is
 * {@link Unsendable}. A type that JSON leaves alone is given back itself, under its own name.
 */
export type WireForm<T> = [T] extends [Json] ? T : Travelled<T, 'element', 'down'>;

/**
 * What a client may hand in where the schema takes `T`. The server's schema meets the wire form, so a `Date` that a schema
 * takes as such can never pass: it is {@link Unsendable}. Take a string (or coerce, or transform) instead.
 */
export type WireInput<T> = [T] extends [Json] ? T : Travelled<T, 'element', 'up'>;

type Travelled<T, Place extends 'element' | 'property', Way extends 'up' | 'down'> = T extends Json
  ? T
  : T extends undefined
    ? [Place, Way] extends ['element', 'down']
      ? null
      : T
    : T extends Uint8Array
      ? Uint8Array
      : T extends bigint
        ? Unsendable<'bigint'>
        : T extends symbol
          ? Unsendable<'symbol'>
          : T extends (...args: never) => unknown
            ? Unsendable<'function'>
            : T extends { toJSON(...args: never): infer J }
              ? Way extends 'down'
                ? WireForm<J>
                : Unsendable<T extends Date ? 'Date' : 'toJSON'>
              : T extends ReadonlyMap<unknown, unknown>
                ? Unsendable<'Map'>
                : T extends ReadonlySet<unknown>
                  ? Unsendable<'Set'>
                  : T extends ArrayBuffer | ArrayBufferView
                    ? Unsendable<'bytes other than Uint8Array'>
                    : T extends readonly unknown[]
                      ? { [I in keyof T]: Travelled<T[I], 'element', Way> }
                      : T extends object
                        ? { [P in keyof T]: Travelled<T[P], 'property', Way> }
                        : T;
