import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { channel, defineContract, type StandardSchema } from '../../src/contract/index.ts';
import { type ConversionContext, type ConversionOptions, toJsonSchema } from '../../src/schema/index.ts';
import { contract } from '../contract/app-contract.ts';
import { arktypeContract, valibotContract, zodContract } from '../contract/vendor-contracts.ts';
import { convertValibot, fits } from './json-schemas.ts';

const { ledger: _, ...zodSendable } = zodContract;
const { ledger: __, ...valibotSendable } = valibotContract;
const { ledger: ___, ...arktypeSendable } = arktypeContract;

describe.each([
  ['zod', () => toJsonSchema(zodSendable)['room/:roomId']],
  ['arktype', () => toJsonSchema(arktypeSendable)['room/:roomId']],
  ['valibot, with its converter', () => toJsonSchema(valibotSendable, { convert: convertValibot })['room/:roomId']],
])('toJsonSchema of %s', (_, describeRoom) => {
  const room = describeRoom();
  const { events, publish, requests, presence, snapshot } = room;
  const at = '2020-01-02T03:04:05.000Z';

  it.each<[string, typeof snapshot, unknown[], unknown[]]>([
    ['an event, as it is sent', events['message'], [{ id: '1', at }], [{ id: 1, at }, { id: '1', at: 5 }, { at }]],
    ['a conflated event, as it is sent', events['quote'], [{ symbol: 'A', price: 1 }], [{ symbol: 'A', price: '1' }]],
    [
      'what is published, before defaults',
      publish['message'],
      [{ text: 'a' }, { text: 'a', tone: 'b' }],
      [{ tone: 'b' }],
    ],
    ['what is relayed', publish['typing'], [{ name: 'Ann' }], [{ name: 1 }, {}]],
    ['what is asked', requests['order']?.input, [{ items: [{ price: 1 }] }], [{ items: [{ price: '1' }] }, {}]],
    ['what is answered', requests['order']?.output, [{ at }], [{ at: 5 }, {}]],
    ['how a request fails', requests['order']?.errors['sold'], [{ to: 'Ann' }], [{}]],
    ['a streamed part', requests['ask']?.yields, [{ token: 'a' }], [{}, 'a']],
    ['what one enters with', presence?.input, [{ color: 'red' }], [{}]],
    ['a member', presence?.member, [{ color: 'red', since: at }], [{ color: 'red', since: 5 }]],
    ['the snapshot', snapshot, [[], [{ id: '1' }]], [{}, [{}]]],
  ])('describes %s', (_, schema = {}, right, wrong) => {
    expect(right.map((value) => fits(schema, value))).toEqual(right.map(() => true));
    expect(wrong.map((value) => fits(schema, value))).not.toContain(true);
  });

  it('leaves out what is not declared', () => {
    expect(Object.keys(requests['ask'] ?? {})).toEqual(['input', 'output', 'yields', 'errors']);
    expect(requests['order']?.yields).toBeUndefined();
  });
});

describe('toJsonSchema', () => {
  const { 'room/:roomId': room, ticker } = toJsonSchema(contract, { target: 'draft-07' });

  it('asks for a version of JSON Schema', () => {
    expect(room.events['message']).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' });
    expect(toJsonSchema(contract).ticker.snapshot).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
    });
  });

  it('gives the same for the same', () => {
    expect(JSON.stringify(toJsonSchema(contract))).toBe(JSON.stringify(toJsonSchema(contract)));
  });

  it('has no presence, snapshot or request where none is declared', () => {
    expect(room).not.toHaveProperty('snapshot');
    expect(ticker).toEqual({
      events: { quote: expect.anything() },
      publish: {},
      requests: {},
      snapshot: expect.anything(),
    });
    expect(room.requests['leave']).toEqual({ errors: {} });
  });

  it('takes any name', () => {
    const schemas = toJsonSchema(defineContract({ x: channel({ events: { ['__proto__']: z.string() } }) }));
    expect(Object.getOwnPropertyDescriptor(schemas.x.events, '__proto__')?.value).toMatchObject({ type: 'string' });
  });

  it('says null for a whole payload that is nothing', () => {
    expect(describeEvent(z.void())).toMatchObject({ type: 'null' });
    expect(describeEvent(z.undefined())).toMatchObject({ type: 'null' });
  });

  it('takes a string for a Date only from what coerces it', () => {
    const taking = (schema: StandardSchema) =>
      toJsonSchema(defineContract({ x: channel({ events: { e: z.string() }, publish: { p: schema } }) })).x.publish[
        'p'
      ];
    expect(taking(z.object({ at: z.coerce.date() }))).toMatchObject({
      properties: { at: { type: 'string', format: 'date-time' } },
    });
    expect(() => taking(z.object({ at: z.date() }))).toThrow(
      'x publish.p: the input of this zod schema has no JSON Schema: date has none (at properties.at)',
    );
    expect(() => taking(type({ at: 'Date' }))).toThrow(
      'the input of this arktype schema has no JSON Schema: Date has none',
    );
  });
});

describe('a schema without JSON Schema', () => {
  it.each<[string, StandardSchema, string]>([
    ['a bigint', z.bigint(), 'zod schema has no JSON Schema: bigint has none'],
    [
      'a Map in an object',
      z.object({ a: z.array(z.map(z.string(), z.number())) }),
      'zod schema has no JSON Schema: map has none (at properties.a.items)',
    ],
    ['a Set', z.set(z.string()), 'zod schema has no JSON Schema: set has none'],
    [
      'a transform whose output nobody knows',
      z.string().transform(Number),
      'zod schema has no JSON Schema: what a transform gives is unknown, unless .pipe(schema) follows',
    ],
    ['something of a class', z.object({ bytes: z.instanceof(Uint8Array) }), 'custom has none (at properties.bytes)'],
    ['a bigint of arktype', type({ n: 'bigint' }), 'arktype schema has no JSON Schema: bigint has none'],
    ['a Map of arktype', type({ n: 'Map' }), 'arktype schema has no JSON Schema: Map has none'],
    [
      'undefined of arktype',
      type({ n: 'string | undefined' }),
      'arktype schema has no JSON Schema: undefined has none',
    ],
    [
      'a schema of a library without it',
      v.string(),
      'valibot schema has no JSON Schema: it does not say itself what it is',
    ],
  ])('is refused: %s', (_, schema, message) => {
    expect(() => describeEvent(schema)).toThrow(
      expect.objectContaining({
        code: 'contract_invalid',
        message: expect.stringMatching(
          /^x events\.e: .* Declare what JSON can carry, or pass convert: \(schema, \{ io, target \}\) => the JSON Schema\.$/,
        ),
      }),
    );
    expect(() => describeEvent(schema)).toThrow(message);
  });

  it('names its place in a request', () => {
    const ask = channel({ events: { e: z.string() }, requests: { ask: { errors: { full: z.bigint() } } } });
    expect(() => toJsonSchema(defineContract({ 'room/:roomId': ask }))).toThrow(
      'room/:roomId requests.ask.errors.full: ',
    );
  });
});

describe('convert', () => {
  const given = { type: 'string', title: 'given' };

  it('is told which side is asked for, in which version, and where it stands', () => {
    const asked: ConversionContext[] = [];
    const both = channel({ events: { said: z.string() }, publish: { said: z.string() } });
    const options: ConversionOptions = {
      convert: (_, context) => {
        asked.push(context);
        return given;
      },
    };
    expect(toJsonSchema(defineContract({ lobby: both }), options).lobby.events).toEqual({ said: given });
    expect(asked).toEqual([
      { io: 'output', target: 'draft-2020-12', at: 'lobby events.said' },
      { io: 'input', target: 'draft-2020-12', at: 'lobby publish.said' },
    ]);
  });

  it('comes before what the schema says, and leaves it to the schema with undefined', () => {
    expect(describeEvent(z.bigint(), () => given)).toEqual(given);
    expect(describeEvent(z.string(), () => given)).toEqual(given);
    expect(describeEvent(z.string(), () => undefined)).toMatchObject({ type: 'string' });
    expect(() => describeEvent(v.string(), () => undefined)).toThrow('it does not say itself');
  });

  it('may fail, and is then quoted', () => {
    const cause = new Error('no idea');
    const failing = () =>
      describeEvent(v.string(), () => {
        throw cause;
      });
    expect(failing).toThrow('x events.e: the output of this valibot schema has no JSON Schema: no idea.');
    expect(failing).toThrow(expect.objectContaining({ code: 'contract_invalid', cause }));
    expect(() => describeEvent(v.string(), () => 'string' as never)).toThrow('it became a string');
  });
});

function describeEvent(schema: StandardSchema, convert?: NonNullable<ConversionOptions['convert']>) {
  const contract = defineContract({ x: channel({ events: { e: schema } }) });
  return toJsonSchema(contract, convert === undefined ? {} : { convert }).x.events['e'];
}
