import { type CompiledChannel, type CompiledRequest, compileContract } from '../contract/compiled-contract.ts';
import type { Contract } from '../contract/contract.ts';
import type { PatternOf } from '../contract/inference.ts';
import type { StandardSchema } from '../contract/standard-schema.ts';
import { type ConversionOptions, convertSchema, type JsonSchema, type JsonSchemaTarget } from './conversion.ts';
import type { SchemaSide } from './vendors.ts';

/** Options of {@link toJsonSchema}. */
export interface JsonSchemaOptions extends ConversionOptions {
  /** Default: `'draft-2020-12'`. */
  readonly target?: JsonSchemaTarget;
}

/** JSON Schemas by the name of what they describe. */
export interface JsonSchemaTable {
  readonly [name: string]: JsonSchema;
}

/** A request's schemas, as far as they are declared. */
export interface RequestSchemas {
  /** What clients ask with. */
  readonly input?: JsonSchema;
  /** What the server answers. */
  readonly output?: JsonSchema;
  /** One part of a streamed answer. */
  readonly yields?: JsonSchema;
  /** The data of its failures. */
  readonly errors: JsonSchemaTable;
}

/** A channel's schemas: of what the server sends as it is sent, of what clients send as it is taken. Each stands alone. */
export interface ChannelSchemas {
  readonly events: JsonSchemaTable;
  /** For a relay, the input of the event's schema. */
  readonly publish: JsonSchemaTable;
  readonly requests: { readonly [name: string]: RequestSchemas };
  readonly presence?: { readonly input: JsonSchema; readonly member: JsonSchema };
  readonly snapshot?: JsonSchema;
}

/** The schemas of contract `C`, by pattern. */
export type ContractSchemas<C> = { readonly [K in PatternOf<C>]: ChannelSchemas };

/**
 * All schemas of a contract as JSON Schema, in the order of declaration. The same contract gives the same result.
 *
 * @throws RunnelError `contract_invalid` for a schema that has no JSON Schema, naming its place; and as `defineContract`
 */
export function toJsonSchema<C extends Contract<C>>(contract: C, options: JsonSchemaOptions = {}): ContractSchemas<C> {
  const { channels } = compileContract(contract);
  return mapTable(channels, (channel) => describeChannel(channel, options)) as ContractSchemas<C>;
}

/** The schemas of one channel. Throws as {@link toJsonSchema}. */
export function describeChannel(channel: CompiledChannel, options: JsonSchemaOptions): ChannelSchemas {
  const { pattern, presence, snapshot } = channel;
  const { target = 'draft-2020-12' } = options;
  const convert: Convert = (schema, io, at) => convertSchema(schema, { io, target, at: `${pattern} ${at}` }, options);
  return {
    events: mapTable(channel.eventsByName, ({ schema }, name) => convert(schema, 'output', `events.${name}`)),
    publish: mapTable(channel.publish, ({ schema }, name) => convert(schema, 'input', `publish.${name}`)),
    requests: mapTable(channel.requests, (request) => describeRequest(request, convert)),
    ...(presence && {
      presence: {
        input: convert(presence.input, 'input', 'presence.input'),
        member: convert(presence.member, 'output', 'presence.member'),
      },
    }),
    ...(snapshot && { snapshot: convert(snapshot, 'output', 'snapshot') }),
  };
}

type Convert = (schema: StandardSchema, io: SchemaSide, at: string) => JsonSchema;

function describeRequest({ name, input, output, yields, errors }: CompiledRequest, convert: Convert): RequestSchemas {
  const at = `requests.${name}`;
  return {
    ...(input && { input: convert(input, 'input', `${at}.input`) }),
    ...(output && { output: convert(output, 'output', `${at}.output`) }),
    ...(yields && { yields: convert(yields, 'output', `${at}.yields`) }),
    errors: mapTable(errors, (schema, error) => convert(schema, 'output', `${at}.errors.${error}`)),
  };
}

function mapTable<Entry, Mapped>(
  table: ReadonlyMap<string, Entry>,
  map: (entry: Entry, name: string) => Mapped,
): { readonly [name: string]: Mapped } {
  return Object.fromEntries([...table].map(([name, entry]) => [name, map(entry, name)]));
}
