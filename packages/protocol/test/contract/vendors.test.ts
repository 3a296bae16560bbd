import { describe, expect, it } from 'vitest';
import {
  type CompiledContract,
  compileContract,
  type StandardSchema,
  validateOrThrow,
} from '../../src/contract/index.ts';
import { RunnelError } from '../../src/errors.ts';
import { arktypeContract, valibotContract, valibotFreeName, zodContract, zodFreeName } from './vendor-contracts.ts';

describe.each([
  ['zod', compileContract(zodContract)],
  ['valibot', compileContract(valibotContract)],
  ['arktype', compileContract(arktypeContract)],
])('a contract of %s', (vendor, contract) => {
  const room = channelOf(contract, 'room/:roomId');

  it('is made of schemas of that library', () => {
    expect(room.events.map(({ schema }) => schema['~standard'].vendor)).toEqual([vendor, vendor, vendor]);
  });

  it('transforms what it takes, and fills in what was left out', () => {
    const at = '2020-01-02T03:04:05.000Z';
    expect(validateOrThrow(eventOf(room, 'message').schema, { id: '1', at }, 'it')).toEqual({
      id: '1',
      at: new Date(at),
    });
    expect(validateOrThrow(publishOf(room, 'message'), { text: 'hi' }, 'it')).toEqual({ text: 'hi', tone: 'calm' });
  });

  it('takes the key of a conflated event from the output', () => {
    const quote = eventOf(room, 'quote');
    const output = validateOrThrow(quote.schema, { symbol: 'ABC', price: '7' }, 'it');
    expect(quote.kind === 'latest' && quote.key(output)).toBe('ABC 7.0');
  });

  it('checks a relay by the schema of the event', () => {
    expect(publishOf(room, 'typing')).toBe(eventOf(room, 'typing').schema);
    expect(refusal(publishOf(room, 'typing'), { name: 1 })).toMatchObject({ code: 'validation_failed' });
  });

  it('says where a payload is wrong, and what it was for', () => {
    const { order } = Object.fromEntries(room.requests);
    const error = refusal(order?.input, { items: [{ price: 1 }, { price: 'two' }] });
    expect(error).toMatchObject({
      code: 'validation_failed',
      data: { issues: [{ path: ['items', 1, 'price'], message: expect.stringMatching(/./) }] },
    });
    expect(error.message).toContain('the request is invalid at items.1.price: ');
  });

  it('has its own schemas for both halves of presence', () => {
    expect(refusal(room.presence?.input, {})).toMatchObject({ data: { issues: [{ path: ['color'] }] } });
    const member = { color: 'red', since: new Date(0) };
    expect(validateOrThrow(room.presence?.member as StandardSchema, member, 'it')).toEqual(member);
  });
});

describe.each([
  ['zod', zodFreeName],
  ['valibot', valibotFreeName],
])('an asynchronous schema of %s', (_, schema) => {
  it('answers with a promise, and fails by rejection', async () => {
    const outcome = validateOrThrow(schema, 'free', 'the name');
    expect(outcome).toBeInstanceOf(Promise);
    expect(await outcome).toBe('free');
    await expect(validateOrThrow(schema, 'taken', 'the name')).rejects.toMatchObject({
      code: 'validation_failed',
      message: 'the name is invalid: is taken',
    });
  });
});

function channelOf(contract: CompiledContract, pattern: string) {
  return found(contract.channels.get(pattern));
}

type Room = ReturnType<typeof channelOf>;

function eventOf(room: Room, name: string) {
  return found(room.eventsByName.get(name));
}

function publishOf(room: Room, name: string): StandardSchema {
  return found(room.publish.get(name)).schema;
}

function refusal(schema: StandardSchema | null | undefined, value: unknown): RunnelError {
  try {
    validateOrThrow(found(schema), value, 'the request');
  } catch (error) {
    if (RunnelError.is(error)) return error;
    throw error;
  }
  throw new Error('it should have been refused');
}

function found<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('the contract does not declare it');
  return value;
}
