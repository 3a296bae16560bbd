import { RunnelError } from '../errors.ts';
import type {
  Channel,
  Definition,
  EventDeclaration,
  LatestKey,
  PresenceDeclaration,
  PublishDeclaration,
  RequestDeclaration,
  SlowPolicy,
} from './channel.ts';
import { type Contract, defineContract } from './contract.ts';
import { parseDurationMs } from './duration.ts';
import { type ChannelMatch, compilePatterns, formatChannel, matchChannel, type PatternTree } from './pattern.ts';
import { type DeclaredSchema, isStandardSchema, type StandardSchema } from './standard-schema.ts';

/** An entry of `events`, at run time. */
export type CompiledEvent = {
  readonly name: string;
  /** Its number on the wire: its position in {@link CompiledChannel.events}. */
  readonly index: number;
  readonly schema: StandardSchema;
} & (
  | { readonly kind: 'counted' | 'volatile' }
  | {
      readonly kind: 'latest';
      /** Takes the schema's output. It is the app's code, so it may throw. */
      readonly key: (value: unknown) => LatestKey;
    }
);

/** An entry of `publish`, at run time. */
export type CompiledPublish = {
  readonly name: string;
  /** For a relay, the event's schema. */
  readonly schema: StandardSchema;
  /** True: a volatile frame, without an answer. False: a counted publish, which has one. */
  readonly volatile: boolean;
} & ({ readonly route: 'handler' } | { readonly route: 'relay'; readonly event: CompiledEvent });

/** An entry of `requests`, at run time; `null` where nothing is declared. */
export interface CompiledRequest {
  readonly name: string;
  readonly input: StandardSchema | null;
  readonly output: StandardSchema | null;
  readonly yields: StandardSchema | null;
  readonly errors: ReadonlyMap<string, StandardSchema>;
  readonly idempotent: boolean;
}

/** One channel pattern, at run time. Names come from peers, so every table is a `Map`. */
export interface CompiledChannel {
  readonly pattern: string;
  /** In the order of declaration, which is the numbering on the wire. */
  readonly events: readonly CompiledEvent[];
  readonly eventsByName: ReadonlyMap<string, CompiledEvent>;
  readonly publish: ReadonlyMap<string, CompiledPublish>;
  readonly requests: ReadonlyMap<string, CompiledRequest>;
  /** One schema declared: both are that one. */
  readonly presence: { readonly input: StandardSchema; readonly member: StandardSchema } | null;
  readonly history: { readonly size: number; readonly ttlMs: number } | null;
  readonly snapshot: StandardSchema | null;
  readonly onSlow: SlowPolicy;
}

/** A concrete channel name, resolved. */
export interface ResolvedChannel {
  readonly name: string;
  readonly params: ChannelMatch['params'];
  readonly channel: CompiledChannel;
}

/** A contract as the server uses it: tables instead of declarations. Made by {@link compileContract}. */
export class CompiledContract {
  /** By pattern, in the order of declaration. */
  readonly channels: ReadonlyMap<string, CompiledChannel>;
  readonly #patterns: PatternTree;

  /** Use {@link compileContract}, which checks what it is given. */
  constructor(channels: ReadonlyMap<string, CompiledChannel>) {
    this.channels = channels;
    this.#patterns = compilePatterns(channels.keys());
  }

  /** The channel behind a name that a peer sent, or `null` where the contract has none. Never throws. */
  resolve(name: string): ResolvedChannel | null {
    const match = matchChannel(this.#patterns, name);
    const channel = match === null ? undefined : this.channels.get(match.pattern);
    return match === null || channel === undefined ? null : { name, params: match.params, channel };
  }

  /**
   * The channel of a pattern with its parameters, as the app asks for it.
   *
   * @throws RunnelError `channel_invalid` for an undeclared pattern, bad parameters, or parameters that make up the name of
   *   a more literal pattern (`room/:roomId` with `lobby` where `room/lobby` is declared too)
   */
  open(pattern: string, params: ChannelMatch['params']): ResolvedChannel {
    const channel = this.channels.get(pattern);
    if (channel === undefined) {
      const shown = JSON.stringify(String(pattern).slice(0, 64));
      throw new RunnelError('channel_invalid', `the contract declares no channel ${shown}`);
    }
    const name = formatChannel(pattern, params);
    const actual = matchChannel(this.#patterns, name);
    if (actual?.pattern === pattern) return { name, params: actual.params, channel };
    throw new RunnelError('channel_invalid', `${name} is a channel of ${String(actual?.pattern)}, not of ${pattern}`);
  }
}

/**
 * Turns a contract into the tables that the server runs on. Do it once, at start.
 *
 * @throws RunnelError `contract_invalid`, as `defineContract` does, for a contract that was put together without it
 */
export function compileContract<C extends Contract<C>>(contract: C): CompiledContract {
  const channels = new Map<string, CompiledChannel>();
  for (const [pattern, declared] of Object.entries<Channel>(defineContract(contract))) {
    channels.set(pattern, compileChannel(pattern, declared.definition));
  }
  return new CompiledContract(channels);
}

function compileChannel(pattern: string, definition: Definition): CompiledChannel {
  const events = Object.entries(definition.events).map(([name, declared], index) =>
    compileEvent(name, index, declared),
  );
  const eventsByName = new Map(events.map((event) => [event.name, event]));
  const { presence, history } = definition;
  return {
    pattern,
    events,
    eventsByName,
    publish: compileTable(definition.publish, (name, declared) => compilePublish(name, declared, eventsByName)),
    requests: compileTable(definition.requests, compileRequest),
    presence: presence === undefined ? null : compilePresence(presence),
    history: history === undefined ? null : { size: history.size, ttlMs: parseDurationMs(history.ttl) },
    snapshot: compileOptional(definition.snapshot),
    onSlow: definition.onSlow ?? 'disconnect',
  };
}

function compileTable<Declared, Compiled>(
  table: { readonly [name: string]: Declared } | undefined,
  compile: (name: string, declared: Declared) => Compiled,
): ReadonlyMap<string, Compiled> {
  return new Map(Object.entries(table ?? {}).map(([name, declared]) => [name, compile(name, declared)]));
}

function compileEvent(name: string, index: number, declared: EventDeclaration): CompiledEvent {
  if ('~standard' in declared) return { name, index, schema: compileSchema(declared), kind: 'counted' };
  const schema = compileSchema(declared.schema);
  if (declared.kind === 'volatile') return { name, index, schema, kind: 'volatile' };
  // `Latest` hides the key's parameter type; it is this schema's output, and only that is ever passed.
  const key = declared.key as (value: unknown) => LatestKey;
  return { name, index, schema, kind: 'latest', key };
}

function compilePublish(
  name: string,
  declared: PublishDeclaration,
  events: ReadonlyMap<string, CompiledEvent>,
): CompiledPublish {
  if ('~standard' in declared) return { name, route: 'handler', schema: compileSchema(declared), volatile: false };
  if (declared.kind === 'volatile') {
    return { name, route: 'handler', schema: compileSchema(declared.schema), volatile: true };
  }
  const event = events.get(name);
  if (event === undefined) {
    throw new RunnelError('contract_invalid', `publish.${name} relays an event that is not declared`);
  }
  return { name, route: 'relay', schema: event.schema, volatile: event.kind === 'volatile', event };
}

function compileRequest(name: string, declared: RequestDeclaration): CompiledRequest {
  return {
    name,
    input: compileOptional(declared.input),
    output: compileOptional(declared.output),
    yields: compileOptional(declared.yields),
    errors: compileTable(declared.errors, (_, schema) => compileSchema(schema)),
    idempotent: declared.idempotent ?? false,
  };
}

function compilePresence(declared: PresenceDeclaration): NonNullable<CompiledChannel['presence']> {
  if (!('~standard' in declared)) {
    return { input: compileSchema(declared.input), member: compileSchema(declared.member) };
  }
  const schema = compileSchema(declared);
  return { input: schema, member: schema };
}

function compileOptional(declared: DeclaredSchema | undefined): StandardSchema | null {
  return declared === undefined ? null : compileSchema(declared);
}

// `channel()` has looked at every schema; a definition that was put together without it has not been there.
function compileSchema(declared: DeclaredSchema): StandardSchema {
  if (isStandardSchema(declared)) return declared;
  throw new RunnelError(
    'contract_invalid',
    'a schema is not a Standard Schema: declare each channel with channel({…})',
  );
}
