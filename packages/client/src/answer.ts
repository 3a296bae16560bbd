/** The answer to a request, as a promise that throws or as a result that says how it went. */
import {
  type Code,
  type Contract,
  type PatternOf,
  type RequestErrors,
  type RequestName,
  RunnelError,
  type StreamedName,
  type Undeclared,
} from '@runnel/protocol';
import type { CallOptions } from './shared-channels.ts';

/** The requests that have one answer each. Those whose answer is streamed are asked with `iterate`. */
export type AskedName<C extends Contract<C>, K extends PatternOf<C>> =
  Exclude<RequestName<C, K>, StreamedName<C, K>> extends infer N
    ? [N] extends [never]
      ? Undeclared<'requests that do not stream'>
      : N
    : never;

/** What follows a request's name: its input, which may be left out where none is declared, and options. */
export type RequestArguments<I, O = CallOptions> = undefined extends I
  ? [input?: I, options?: O]
  : [input: I, options?: O];

/** An error that the contract declares, with its data. */
export interface DeclaredError<N extends string, D> extends RunnelError<N> {
  readonly data: D;
}

/** All that a request may fail with, told apart by `code`: what the contract declares for it, with its `data`, and Runnel's own codes. */
export type RequestError<C extends Contract<C>, K extends PatternOf<C>, R> =
  | Declared<RequestErrors<C, K, R>>
  | RunnelError<Code>;

type Declared<F> = F extends { readonly code: infer N extends string; readonly data: infer D }
  ? DeclaredError<N, D>
  : never;

/** How it went: `data` where it went well, `error` where not. */
export type Result<T, E> = { readonly ok: true; readonly data: T } | { readonly ok: false; readonly error: E };

/** A promise of the answer, which throws where there is none. */
export interface Answer<T, E> extends Promise<T> {
  /** Resolves with how it went, and never rejects but for a mistake in the call's options (`RangeError`). */
  result(): Promise<Result<T, E>>;
}

export function toAnswer(promise: Promise<unknown>): Answer<unknown, unknown> {
  return Object.assign(promise, {
    result: () =>
      promise.then(
        (data) => ({ ok: true, data }) as const,
        (error) => {
          if (RunnelError.is(error)) return { ok: false, error } as const;
          throw error;
        },
      ),
  });
}
