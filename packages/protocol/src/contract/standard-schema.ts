/**
 * The part of the Standard Schema specification (version 1, https://standardschema.dev) that contracts rely on. It is
 * written out here so that the package has no dependency: zod, valibot, arktype and others satisfy it as they are.
 *
 * @typeParam Input what a writer hands in
 * @typeParam Output what a reader gets after validation
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': StandardProperties<Input, Output>;
}

/** What a schema says about itself under its `~standard` key. */
export interface StandardProperties<Input = unknown, Output = Input> {
  readonly version: 1;
  readonly vendor: string;
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  /** Never present at run time: it carries the two types. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}

/** The outcome of a schema's own `validate`: a value, or issues and then no value. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One complaint of a schema, as the schema words it: neither its length nor its path is bounded. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/**
 * A schema as declarations ask for it: whatever has the key of Standard Schema. What stands under the key is looked at when
 * `channel()` runs. A compiler that compared it would take every schema of an app apart, used or not, which costs more than
 * all else that a contract asks of it.
 */
export interface DeclaredSchema {
  readonly '~standard': unknown;
}

/** A schema that says what it takes and gives. It asks for no more than that, for the reason given at {@link DeclaredSchema}. */
export interface TypedSchema {
  readonly '~standard': { readonly types?: { readonly input: unknown; readonly output: unknown } | undefined };
}

/** What a writer hands to schema `S`: its type before defaults, coercion and transforms. */
export type InputOf<S extends TypedSchema> = NonNullable<S['~standard']['types']>['input'];

/** What a reader gets from schema `S`: its type after defaults, coercion and transforms. */
export type OutputOf<S extends TypedSchema> = NonNullable<S['~standard']['types']>['output'];

/** True for any Standard Schema of version 1, callable ones (arktype) included. Never throws. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const properties: unknown = (value as Partial<StandardSchema>)['~standard'];
  if (typeof properties !== 'object' || properties === null) return false;
  const { version, validate } = properties as { version?: unknown; validate?: unknown };
  return version === 1 && typeof validate === 'function';
}
