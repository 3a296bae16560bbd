// Ids are made of the contract's names, because tools name their code by them: `room.roomId` for `room/:roomId`, and in it
// `events.message`, `requests.edit.output`. They keep to the characters that AsyncAPI allows everywhere, so that no pointer
// needs escapes; names that become one by that are numbered.
import type { CompiledChannel, CompiledRequest } from '../contract/compiled-contract.ts';
import { type PatternSegment, parsePattern } from '../contract/pattern.ts';
import type { AsyncApiChannel, AsyncApiDocument, AsyncApiMessage, AsyncApiOperation, Reference } from './async-api.ts';
import type { JsonSchema } from './conversion.ts';
import type { ChannelSchemas, RequestSchemas } from './json-schema.ts';
import { relocate } from './relocation.ts';

/** Extensions that say yes. One that is false is left out. */
interface Marks {
  readonly [extension: `x-runnel-${string}`]: boolean;
}

/** A message that every channel may answer with. */
type Answer = 'acknowledgement' | 'failure';

/** The parts of a document that grow with its channels. */
export class AsyncApiParts {
  readonly channels: Map<string, AsyncApiChannel> = new Map();
  readonly operations: Map<string, AsyncApiOperation> = new Map();
  readonly schemas: Map<string, JsonSchema> = new Map();

  toDocument(): Pick<AsyncApiDocument, 'channels' | 'operations' | 'components'> {
    return {
      channels: Object.fromEntries(this.channels),
      operations: Object.fromEntries(this.operations),
      components: {
        messages: {
          acknowledgement: { name: 'acknowledgement', payload: { type: 'null' } },
          failure: { name: 'failure', payload: failurePayload({ type: 'string' }) },
        } satisfies Record<Answer, AsyncApiMessage>,
        schemas: Object.fromEntries(this.schemas),
      },
    };
  }
}

/** Adds a channel to `parts`, with its schemas and operations. */
export function writeChannel(parts: AsyncApiParts, channel: CompiledChannel, schemas: ChannelSchemas): void {
  const segments = parsePattern(channel.pattern);
  const writer = new ChannelWriter(parts, segments);
  for (const { name, kind } of channel.events) {
    const at = `events.${name}`;
    const marks = { 'x-runnel-volatile': kind === 'volatile', 'x-runnel-latest': kind === 'latest' };
    writer.operation(at, 'send', writer.message(at, name, writer.schema(at, schemas.events[name]), marks));
  }
  for (const { name, volatile, route } of channel.publish.values()) {
    const at = `publish.${name}`;
    const payload = writer.schema(at, schemas.publish[name]);
    const published = writer.message(at, name, payload, { 'x-runnel-volatile': volatile });
    const replies = volatile ? [] : [writer.answer('acknowledgement'), writer.answer('failure')];
    writer.operation(at, 'receive', published, replies, { 'x-runnel-relay': route === 'relay' });
  }
  for (const request of channel.requests.values()) {
    writeRequest(writer, request, schemas.requests[request.name] ?? { errors: {} });
  }
  if (schemas.snapshot !== undefined) {
    const payload = writer.schema('snapshot', schemas.snapshot);
    writer.operation(
      'snapshot',
      'send',
      writer.message('snapshot', 'snapshot', payload, { 'x-runnel-snapshot': true }),
    );
  }
  writer.close(channel, schemas.presence);
}

function writeRequest(writer: ChannelWriter, { name, idempotent }: CompiledRequest, schemas: RequestSchemas): void {
  const at = `requests.${name}`;
  const asked = writer.message(at, name, writer.schema(`${at}.input`, schemas.input));
  const reply = (part: string, payload: JsonSchema, marks?: Marks): Reference =>
    writer.message(`${at}.${part}`, `${name}.${part}`, payload, marks);
  const replies: Reference[] = [];
  if (schemas.yields !== undefined) {
    replies.push(reply('yields', writer.schema(`${at}.yields`, schemas.yields), { 'x-runnel-part': true }));
  }
  replies.push(reply('output', writer.schema(`${at}.output`, schemas.output)));
  for (const [code, data] of Object.entries(schemas.errors)) {
    const part = `errors.${code}`;
    replies.push(reply(part, failurePayload({ const: `app:${code}` }, writer.schema(`${at}.${part}`, data))));
  }
  writer.operation(at, 'receive', asked, [...replies, writer.answer('failure')], {
    'x-runnel-idempotent': idempotent,
  });
}

/** Writes one channel. */
class ChannelWriter {
  readonly #parts: AsyncApiParts;
  readonly #segments: readonly PatternSegment[];
  readonly #id: string;
  readonly #messages = new Map<string, AsyncApiMessage | Reference>();

  constructor(parts: AsyncApiParts, segments: readonly PatternSegment[]) {
    this.#parts = parts;
    this.#segments = segments;
    this.#id = freeId(parts.channels, segments.map(({ name }) => name).join('.'));
  }

  /** A reference to the schema, which stands among the document's; where none is declared, the payload is null. */
  schema(at: string, schema: JsonSchema | undefined): JsonSchema {
    if (schema === undefined) return { type: 'null' };
    const id = freeId(this.#parts.schemas, `${this.#id}.${at}`);
    const to = `#/components/schemas/${id}`;
    this.#parts.schemas.set(id, relocate(schema, to));
    return { $ref: to };
  }

  message(at: string, name: string, payload: JsonSchema, marks: Marks = {}): Reference {
    const id = freeId(this.#messages, at);
    this.#messages.set(id, { name, payload, ...set(marks) });
    return { $ref: `${this.#at}/messages/${id}` };
  }

  answer(id: Answer): Reference {
    this.#messages.set(id, { $ref: `#/components/messages/${id}` });
    return { $ref: `${this.#at}/messages/${id}` };
  }

  operation(
    at: string,
    action: AsyncApiOperation['action'],
    message: Reference,
    replies: readonly Reference[] = [],
    marks: Marks = {},
  ): void {
    const channel = { $ref: this.#at };
    this.#parts.operations.set(freeId(this.#parts.operations, `${this.#id}.${at}`), {
      action,
      channel,
      messages: [message],
      ...(replies.length > 0 && { reply: { channel, messages: replies } }),
      ...set(marks),
    });
  }

  /** Puts the channel into the document, with all messages that it has by now. */
  close({ history, onSlow }: CompiledChannel, presence: ChannelSchemas['presence']): void {
    const description = 'Any text but an empty one, percent-encoded.';
    const parameters = this.#segments.filter(({ kind }) => kind === 'param').map(({ name }) => [name, { description }]);
    this.#parts.channels.set(this.#id, {
      address: this.#segments.map(({ kind, name }) => (kind === 'param' ? `{${name}}` : name)).join('/'),
      ...(parameters.length > 0 && { parameters: Object.fromEntries(parameters) }),
      messages: Object.fromEntries(this.#messages),
      ...(presence && {
        'x-runnel-presence': {
          input: this.schema('presence.input', presence.input),
          member: this.schema('presence.member', presence.member),
        },
      }),
      ...(history && { 'x-runnel-history': history }),
      'x-runnel-on-slow': onSlow,
    });
  }

  get #at(): string {
    return `#/channels/${this.#id}`;
  }
}

/** What an error frame has after its id (PROTOCOL §3). */
function failurePayload(code: JsonSchema, data?: JsonSchema): JsonSchema {
  return {
    type: 'object',
    properties: { code, message: { type: 'string' }, retryable: { type: 'boolean' }, data: data ?? {} },
    required: ['code', 'message', 'retryable', ...(data === undefined ? [] : ['data'])],
  };
}

function freeId(taken: ReadonlyMap<string, unknown>, text: string): string {
  const id = text.replace(/[^A-Za-z0-9_.-]/g, '_');
  let free = id;
  for (let count = 2; taken.has(free); count += 1) free = `${id}-${count}`;
  return free;
}

function set(marks: Marks): Marks {
  return Object.fromEntries(Object.entries(marks).filter(([, isSet]) => isSet));
}
