import { compileContract } from '../contract/compiled-contract.ts';
import type { Contract } from '../contract/contract.ts';
import { AsyncApiParts, writeChannel } from './async-api-writer.ts';
import type { ConversionOptions, JsonSchema } from './conversion.ts';
import { describeChannel } from './json-schema.ts';

/** Options of {@link toAsyncApi}. */
export interface AsyncApiOptions extends ConversionOptions {
  readonly info: AsyncApiInfo;
  /** Where the server is, by a name for each place. Default: not said. */
  readonly servers?: { readonly [name: string]: AsyncApiServer };
}

/** AsyncAPI's Info Object: these fields, and others that it has. */
export interface AsyncApiInfo {
  readonly title: string;
  /** Of the app, not of AsyncAPI. */
  readonly version: string;
  readonly description?: string;
  readonly [field: string]: unknown;
}

/** AsyncAPI's Server Object: these fields, and others that it has. */
export interface AsyncApiServer {
  /** With its port: `api.example.com:8443`. */
  readonly host: string;
  /** `wss`, or `https` where only that is offered. */
  readonly protocol: string;
  /** The server's `path`: `/realtime`. */
  readonly pathname?: string;
  readonly description?: string;
  readonly [field: string]: unknown;
}

/** A JSON Reference into the document. */
export interface Reference {
  readonly $ref: string;
}

export interface AsyncApiMessage {
  /** As the contract calls it. */
  readonly name: string;
  readonly payload: JsonSchema;
  readonly [extension: `x-${string}`]: unknown;
}

export interface AsyncApiChannel {
  /** The name of the channel, its parameters in braces: `room/{roomId}`. */
  readonly address: string;
  readonly parameters?: { readonly [name: string]: { readonly description: string } };
  readonly messages: { readonly [id: string]: AsyncApiMessage | Reference };
  readonly [extension: `x-${string}`]: unknown;
}

export interface AsyncApiOperation {
  /** What the server does. */
  readonly action: 'send' | 'receive';
  readonly channel: Reference;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
  readonly [extension: `x-${string}`]: unknown;
}

/** An AsyncAPI 3.0 document. It is JSON. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly info: AsyncApiInfo;
  readonly defaultContentType: 'application/json';
  readonly servers?: { readonly [name: string]: AsyncApiServer };
  readonly channels: { readonly [id: string]: AsyncApiChannel };
  readonly operations: { readonly [id: string]: AsyncApiOperation };
  readonly components: {
    readonly messages: { readonly [id: string]: AsyncApiMessage };
    readonly schemas: { readonly [id: string]: JsonSchema };
  };
}

/**
 * A contract as an AsyncAPI 3.0 document, seen from the server: it sends events, and receives what clients publish and ask.
 * Payloads are those of the Runnel protocol's frames: `data`, and for an error an object of what its frame has. The same
 * contract gives the same document.
 *
 * Beyond AsyncAPI it says: `x-runnel-volatile` and `x-runnel-latest` of messages, `x-runnel-part` of what is streamed before
 * an output, `x-runnel-snapshot` of the message that a subscriber starts from; `x-runnel-relay` and `x-runnel-idempotent`
 * of operations; `x-runnel-presence`, `x-runnel-history` and `x-runnel-on-slow` of channels.
 *
 * @throws RunnelError `contract_invalid` for a schema that has no JSON Schema, naming its place; and as `defineContract`
 */
export function toAsyncApi<C extends Contract<C>>(contract: C, options: AsyncApiOptions): AsyncApiDocument {
  const { info, servers } = options;
  const parts = new AsyncApiParts();
  for (const channel of compileContract(contract).channels.values()) {
    writeChannel(parts, channel, describeChannel(channel, { ...options, target: 'draft-07' }));
  }
  return {
    asyncapi: '3.0.0',
    info,
    defaultContentType: 'application/json',
    ...(servers && { servers }),
    ...parts.toDocument(),
  };
}
