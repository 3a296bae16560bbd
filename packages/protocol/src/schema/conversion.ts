import type { StandardSchema } from '../contract/standard-schema.ts';
import { RunnelError } from '../errors.ts';
import { libraryOptions, type SchemaSide } from './vendors.ts';

/** A JSON Schema: an object of keywords. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** The versions of JSON Schema that can be asked for. */
export type JsonSchemaTarget = 'draft-2020-12' | 'draft-07';

/** What `convert` is told about the schema that it is given. */
export interface ConversionContext {
  /** `output`: what the server sends, which the schema has transformed. `input`: what clients send, before that. */
  readonly io: SchemaSide;
  readonly target: JsonSchemaTarget;
  /** Where the schema stands in the contract: `room/:roomId events.message`. */
  readonly at: string;
}

/** How schemas become JSON Schema. */
export interface ConversionOptions {
  /**
   * Makes a JSON Schema of a schema that cannot say itself what it is, or that is to say something else. It is asked first;
   * undefined leaves it to the schema, which can say it where its library has Standard JSON Schema: zod from 4.2, arktype
   * from 2.1.28. For valibot:
   *
   * ```ts
   * convert: (schema: v.GenericSchema, { io, target }) => toJsonSchema(schema, { typeMode: io, target })
   * ```
   *
   * What it gives describes the JSON that is sent: there a `Date` is a string of format `date-time`, and bytes are
   * `{ "$b": "<base64>" }`.
   */
  convert?(schema: StandardSchema, context: ConversionContext): object | undefined;
}

/** The part of Standard JSON Schema (version 1, https://standardschema.dev/json-schema) that is used here. */
type StandardJsonSchema = {
  readonly [S in SchemaSide]: (options: {
    readonly target: JsonSchemaTarget;
    readonly libraryOptions: Record<string, unknown> | undefined;
  }) => unknown;
};

/**
 * One side of a schema as JSON Schema.
 *
 * @throws RunnelError `contract_invalid`, naming the place, the schema's library, and what to do
 */
export function convertSchema(
  schema: StandardSchema,
  context: ConversionContext,
  options: ConversionOptions,
): JsonSchema {
  const { vendor } = schema['~standard'];
  let converted: unknown;
  try {
    converted = options.convert?.(schema, context) ?? describeItself(schema, context);
  } catch (cause) {
    throw inexpressible(context, vendor, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (typeof converted === 'object' && converted !== null) return converted as JsonSchema;
  const why =
    converted === undefined ? 'it does not say itself what it is' : `it became a ${typeof converted}, not an object`;
  throw inexpressible(context, vendor, why);
}

function describeItself(schema: StandardSchema, { io, target }: ConversionContext): unknown {
  const { vendor, jsonSchema } = schema['~standard'] as StandardSchema['~standard'] & {
    readonly jsonSchema?: StandardJsonSchema;
  };
  return jsonSchema?.[io]({ target, libraryOptions: libraryOptions(vendor, io) });
}

function inexpressible({ at, io }: ConversionContext, vendor: string, why: string, cause?: unknown): RunnelError {
  const what = `${at}: the ${io} of this ${vendor} schema has no JSON Schema: ${why}`;
  const remedy = 'Declare what JSON can carry, or pass convert: (schema, { io, target }) => the JSON Schema';
  return new RunnelError('contract_invalid', `${what}. ${remedy}.`, { cause });
}
