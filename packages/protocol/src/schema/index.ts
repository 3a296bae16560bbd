export {
  type AsyncApiChannel,
  type AsyncApiDocument,
  type AsyncApiInfo,
  type AsyncApiMessage,
  type AsyncApiOperation,
  type AsyncApiOptions,
  type AsyncApiServer,
  type Reference,
  toAsyncApi,
} from './async-api.ts';
export type { ConversionContext, ConversionOptions, JsonSchema, JsonSchemaTarget } from './conversion.ts';
export {
  type ChannelSchemas,
  type ContractSchemas,
  type JsonSchemaOptions,
  type JsonSchemaTable,
  type RequestSchemas,
  toJsonSchema,
} from './json-schema.ts';
export type { SchemaSide } from './vendors.ts';
