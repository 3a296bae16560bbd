import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { channel, defineContract, latestBy, relay, volatile } from '../../src/contract/index.ts';
import { type AsyncApiDocument, type JsonSchema, toAsyncApi } from '../../src/schema/index.ts';
import { contract } from '../contract/app-contract.ts';
import { arktypeContract, valibotContract } from '../contract/vendor-contracts.ts';
import { convertValibot, fits, fitsAsyncApi } from './json-schemas.ts';

const info = { title: 'Chat', version: '1.2.3' };
const servers = { production: { host: 'api.example.com', protocol: 'wss', pathname: '/realtime' } };
const { ledger: _, ...arktypeSendable } = arktypeContract;
const { ledger: __, ...valibotSendable } = valibotContract;

describe.each([
  ['zod', toAsyncApi(contract, { info, servers })],
  ['arktype', toAsyncApi(arktypeSendable, { info })],
  ['valibot', toAsyncApi(valibotSendable, { info, convert: convertValibot })],
])('toAsyncApi of a contract of %s', (_, document) => {
  it('is AsyncAPI 3.0 by the official schema', () => {
    expect(fitsAsyncApi(document)).toBe(true);
    expect(fitsAsyncApi({ ...document, operations: { ask: { action: 'ask' } } })).not.toBe(true);
  });

  it('refers to nothing that is not there', () => {
    const references = referencesIn(document);
    expect(references.length).toBeGreaterThan(10);
    expect(references.filter((reference) => at(document, reference) === undefined)).toEqual([]);
  });

  it('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });
});

describe('toAsyncApi', () => {
  it('says what the server sends, receives and answers', () => {
    const text = z.string();
    const small = defineContract({
      'room/:roomId': channel({
        events: { said: text, typing: volatile(text), topic: latestBy(text, (topic) => topic) },
        publish: { said: text, typing: relay },
        requests: {
          ask: { input: text, yields: text, output: text, errors: { full: text }, idempotent: true },
          leave: {},
        },
        presence: { input: text, member: text },
        history: { size: 5, ttl: '1m' },
        snapshot: text,
        onSlow: 'drop-oldest',
      }),
    });
    const document = toAsyncApi(small, { info, servers });
    expect(document).toMatchObject({ asyncapi: '3.0.0', info, servers, defaultContentType: 'application/json' });
    expect(document.components.schemas['room.roomId.events.said']).toEqual({ type: 'string' });

    const { messages, ...room } = document.channels['room.roomId'] ?? {};
    const schema = (id: string) => ({ $ref: `#/components/schemas/room.roomId.${id}` });
    expect(room).toEqual({
      address: 'room/{roomId}',
      parameters: { roomId: { description: 'Any text but an empty one, percent-encoded.' } },
      'x-runnel-presence': { input: schema('presence.input'), member: schema('presence.member') },
      'x-runnel-history': { size: 5, ttlMs: 60_000 },
      'x-runnel-on-slow': 'drop-oldest',
    });
    expect(messages).toEqual({
      'events.said': { name: 'said', payload: schema('events.said') },
      'events.typing': { name: 'typing', payload: schema('events.typing'), 'x-runnel-volatile': true },
      'events.topic': { name: 'topic', payload: schema('events.topic'), 'x-runnel-latest': true },
      'publish.said': { name: 'said', payload: schema('publish.said') },
      'publish.typing': { name: 'typing', payload: schema('publish.typing'), 'x-runnel-volatile': true },
      'requests.ask': { name: 'ask', payload: schema('requests.ask.input') },
      'requests.ask.yields': { name: 'ask.yields', payload: schema('requests.ask.yields'), 'x-runnel-part': true },
      'requests.ask.output': { name: 'ask.output', payload: schema('requests.ask.output') },
      'requests.ask.errors.full': {
        name: 'ask.errors.full',
        payload: {
          type: 'object',
          properties: {
            code: { const: 'app:full' },
            message: { type: 'string' },
            retryable: { type: 'boolean' },
            data: schema('requests.ask.errors.full'),
          },
          required: ['code', 'message', 'retryable', 'data'],
        },
      },
      'requests.leave': { name: 'leave', payload: { type: 'null' } },
      'requests.leave.output': { name: 'leave.output', payload: { type: 'null' } },
      snapshot: { name: 'snapshot', payload: schema('snapshot'), 'x-runnel-snapshot': true },
      acknowledgement: { $ref: '#/components/messages/acknowledgement' },
      failure: { $ref: '#/components/messages/failure' },
    });

    const self = { $ref: '#/channels/room.roomId' };
    const message = (id: string) => ({ $ref: `#/channels/room.roomId/messages/${id}` });
    const send = (id: string) => ({ action: 'send', channel: self, messages: [message(id)] });
    const receive = (id: string, replies: string[]) => ({
      action: 'receive',
      channel: self,
      messages: [message(id)],
      ...(replies.length > 0 && { reply: { channel: self, messages: replies.map(message) } }),
    });
    expect(document.operations).toEqual({
      'room.roomId.events.said': send('events.said'),
      'room.roomId.events.typing': send('events.typing'),
      'room.roomId.events.topic': send('events.topic'),
      'room.roomId.publish.said': receive('publish.said', ['acknowledgement', 'failure']),
      'room.roomId.publish.typing': { ...receive('publish.typing', []), 'x-runnel-relay': true },
      'room.roomId.requests.ask': {
        ...receive('requests.ask', [
          'requests.ask.yields',
          'requests.ask.output',
          'requests.ask.errors.full',
          'failure',
        ]),
        'x-runnel-idempotent': true,
      },
      'room.roomId.requests.leave': receive('requests.leave', ['requests.leave.output', 'failure']),
      'room.roomId.snapshot': send('snapshot'),
    });
  });

  it('gives the same for the same', () => {
    expect(JSON.stringify(toAsyncApi(contract, { info }))).toBe(JSON.stringify(toAsyncApi(contract, { info })));
  });

  it('says nothing of parameters and servers where there are none', () => {
    const document = toAsyncApi(defineContract({ lobby: channel({ events: { said: z.string() } }) }), { info });
    expect(document).not.toHaveProperty('servers');
    expect(document.channels['lobby']).toEqual({
      address: 'lobby',
      messages: { 'events.said': { name: 'said', payload: { $ref: '#/components/schemas/lobby.events.said' } } },
      'x-runnel-on-slow': 'disconnect',
    });
  });

  it('keeps ids apart that names do not', () => {
    const said = channel({ events: { 'a b': z.string(), a_b: z.number(), 'é/~': z.null() } });
    const document = toAsyncApi(defineContract({ 'a/:b': said, 'a/b': said, 'a.b': said }), { info });
    expect(fitsAsyncApi(document)).toBe(true);
    expect(Object.entries(document.channels).map(([id, { address }]) => [id, address])).toEqual([
      ['a.b', 'a/{b}'],
      ['a.b-2', 'a/b'],
      ['a.b-3', 'a.b'],
    ]);
    expect(Object.entries(document.channels['a.b-2']?.messages ?? {})).toEqual([
      ['events.a_b', { name: 'a b', payload: { $ref: '#/components/schemas/a.b-2.events.a_b' } }],
      ['events.a_b-2', { name: 'a_b', payload: { $ref: '#/components/schemas/a.b-2.events.a_b-2' } }],
      ['events.___', { name: 'é/~', payload: { $ref: '#/components/schemas/a.b-2.events.___' } }],
    ]);
    expect(referencesIn(document).filter((reference) => at(document, reference) === undefined)).toEqual([]);
  });

  it('refuses what has no JSON Schema', () => {
    const bad = defineContract({ lobby: channel({ events: { said: z.bigint() } }) });
    expect(() => toAsyncApi(bad, { info })).toThrow(expect.objectContaining({ code: 'contract_invalid' }));
  });
});

describe('a schema within the document', () => {
  const Tree = z.object({
    name: z.string(),
    get children() {
      return z.array(Tree);
    },
  });
  const Point = z.object({ x: z.number() }).meta({ id: 'Point' });
  const Line = z.object({ from: Point, to: Point, $ref: z.literal('#/'), properties: z.enum(['#']).default('#') });
  const tree = { name: 'a', children: [{ name: 'b', children: [] }] };
  const line = { from: { x: 1 }, to: { x: 2 }, $ref: '#/', properties: '#' };

  const document = toAsyncApi(defineContract({ lobby: channel({ events: { tree: Tree, line: Line } }) }), { info });

  it('refers to itself where it stands', () => {
    expect(fits(payloadOf(document, 'events.tree'), tree, document)).toBe(true);
    expect(fits(payloadOf(document, 'events.tree'), { ...tree, children: [{ name: 'b' }] }, document)).not.toBe(true);
    expect(fits(payloadOf(document, 'events.line'), line, document)).toBe(true);
    expect(fits(payloadOf(document, 'events.line'), { ...line, to: {} }, document)).not.toBe(true);
  });

  it('has its data and its names left alone', () => {
    expect(document.components.schemas['lobby.events.line']).toMatchObject({
      properties: { $ref: { const: '#/' }, properties: { enum: ['#'], default: '#' } },
    });
  });

  it('refers to definitions of any library', () => {
    const List: v.GenericSchema = v.object({ next: v.nullable(v.lazy(() => List)) });
    const lists = toAsyncApi(defineContract({ lobby: channel({ events: { list: List } }) }), {
      info,
      convert: convertValibot,
    });
    expect(fitsAsyncApi(lists)).toBe(true);
    expect(fits(payloadOf(lists, 'events.list'), { next: { next: null } }, lists)).toBe(true);
    expect(fits(payloadOf(lists, 'events.list'), { next: { next: 1 } }, lists)).not.toBe(true);
  });

  it('does not call itself a document', () => {
    expect(document.components.schemas['lobby.events.line']).not.toHaveProperty('$schema');
  });
});

function payloadOf(document: AsyncApiDocument, id: string): JsonSchema {
  const message = document.channels['lobby']?.messages[id];
  if (message === undefined || !('payload' in message)) throw new Error(`there is no message ${id}`);
  return message.payload;
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : referencesIn(inner),
  );
}

function at(document: object, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((value, key) => (value as { readonly [key: string]: unknown } | undefined)?.[key], document);
}
