import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { channel, contractLimits, defineContract, latestBy, relay, volatile } from '../../src/contract/index.ts';
import { RunnelError } from '../../src/errors.ts';

const Text = z.string();

/** A declaration that the compiler refuses, as plain JavaScript would make it. */
const untyped = channel as (definition: unknown) => unknown;

function messageOf(declare: () => unknown): string {
  try {
    declare();
  } catch (error) {
    if (RunnelError.is(error) && error.code === 'contract_invalid') return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const mistakes: readonly (readonly [name: string, definition: unknown, message: RegExp])[] = [
  ['nothing at all', undefined, /a channel is undefined; it must be an object/],
  ['no events', {}, /events is undefined; it must be an object/],
  ['empty events', { events: {} }, /events is empty/],
  ['events in a list', { events: [Text] }, /events is an array/],
  [
    'an event that is no schema',
    { events: { said: 'string' } },
    /events\.said is "string"; it must be a Standard Schema/,
  ],
  ['an event that is null', { events: { said: null } }, /events\.said is null/],
  ['an event that is relayed', { events: { said: relay } }, /events\.said is an object; it must be a Standard Schema/],
  ['a volatile event without schema', { events: { said: { kind: 'volatile' } } }, /events\.said is undefined/],
  ['a key that is no function', { events: { said: { kind: 'latest', schema: Text, key: 'id' } } }, /latestBy is "id"/],
  [
    'a schema of another version',
    { events: { said: { '~standard': { version: 2, validate: String } } } },
    /must be a Standard Schema/,
  ],
  ['a misspelt option', { events: { said: Text }, histroy: {} }, /a channel has no option "histroy"; it has events, /],
  ['a reserved event name', { events: { $said: Text } }, /events\.\$said: names that begin with \$ are reserved/],
  ['an empty event name', { events: { '': Text } }, /a name of 0 characters/],
  ['a long event name', { events: { ['a'.repeat(65)]: Text } }, /a name of 65 characters; a name has 1 to 64/],
  ['too many events', { events: Object.fromEntries(Array.from({ length: 257 }, (_, n) => [n, Text])) }, /257 entries/],
  ['a relay of no event', { events: { said: Text }, publish: { sayed: relay } }, /publish\.sayed is relay, but events/],
  ['a publish that is conflated', { events: { said: Text }, publish: { said: latestBy(Text, String) } }, /latestBy/],
  ['a publish that is no schema', { events: { said: Text }, publish: { said: true } }, /publish\.said is true/],
  ['a reserved publish name', { events: { said: Text }, publish: { $said: Text } }, /publish\.\$said/],
  ['a reserved request name', { events: { said: Text }, requests: { $enter: {} } }, /requests\.\$enter/],
  ['a request that is a schema', { events: { said: Text }, requests: { ask: Text } }, /requests\.ask has no option/],
  [
    'a request part that is no schema',
    { events: { said: Text }, requests: { ask: { yields: 1 } } },
    /ask\.yields is 1/,
  ],
  [
    'errors that are no schemas',
    { events: { said: Text }, requests: { ask: { errors: { no: 1 } } } },
    /errors\.no is 1/,
  ],
  [
    "an error named as one of Runnel's",
    { events: { said: Text }, requests: { ask: { errors: { timeout: Text } } } },
    /own/,
  ],
  [
    'an idempotence of sorts',
    { events: { said: Text }, requests: { ask: { idempotent: 'yes' } } },
    /must be a boolean/,
  ],
  ['a presence that is no schema', { events: { said: Text }, presence: 1 }, /presence is 1/],
  ['half a presence', { events: { said: Text }, presence: { input: Text } }, /presence\.member is undefined/],
  ['a snapshot that is no schema', { events: { said: Text }, snapshot: [] }, /snapshot is an array/],
  ['an unknown policy', { events: { said: Text }, onSlow: 'drop' }, /onSlow is "drop"/],
  ['a history without size', { events: { said: Text }, history: { ttl: '1h' } }, /history\.size is undefined/],
  ['an empty history', { events: { said: Text }, history: { size: 0, ttl: '1h' } }, /an integer from 1 to 10000/],
  ['a history too large', { events: { said: Text }, history: { size: 10_001, ttl: '1h' } }, /history\.size is 10001/],
  ['a fraction of a message', { events: { said: Text }, history: { size: 1.5, ttl: '1h' } }, /history\.size is 1\.5/],
  ['a history without end', { events: { said: Text }, history: { size: 1 } }, /undefined is not a duration/],
  ['a history too long', { events: { said: Text }, history: { size: 1, ttl: '366d' } }, /history\.ttl is "366d"/],
  ['an unreadable duration', { events: { said: Text }, history: { size: 1, ttl: 'soon' } }, /"soon" is not a duration/],
];

describe('channel', () => {
  it.each(mistakes)('refuses %s', (_name, definition, message) => {
    expect(messageOf(() => untyped(definition))).toMatch(message);
  });

  it('accepts all that can be declared, up to the limits', () => {
    const declared = channel({
      events: { ['n'.repeat(64)]: Text, said: Text, typing: volatile(Text), quote: latestBy(Text, (text) => text) },
      publish: { said: relay, typing: relay, quote: relay, asked: Text, moved: volatile(Text) },
      requests: { ask: { input: Text, output: Text, yields: Text, errors: { no: Text }, idempotent: true }, ping: {} },
      presence: { input: Text, member: Text },
      history: { size: contractLimits.historySizeMax, ttl: '365d' },
      snapshot: Text,
      onSlow: 'drop-oldest',
    });
    expect(declared.kind).toBe('channel');
    expect(declared.definition.history.size).toBe(10_000);
  });

  it('takes the names that objects inherit as names like any other', () => {
    const events = Object.fromEntries(['__proto__', 'constructor', 'toString'].map((name) => [name, Text]));
    expect(untyped({ events, publish: { constructor: relay } })).toMatchObject({ kind: 'channel' });
    expect(messageOf(() => untyped({ events: { said: Text }, publish: { toString: relay } }))).toMatch(/no "toString"/);
  });

  it('accepts a schema that is a function', () => {
    const callable = Object.assign(() => true, { '~standard': Text['~standard'] });
    expect(channel({ events: { said: callable } }).definition.events.said).toBe(callable);
  });
});

describe('defineContract', () => {
  const said = channel({ events: { said: Text } });

  it('keeps the channels as they are declared, frozen', () => {
    const contract = defineContract({ 'room/:roomId': said, lobby: said });
    expect(Object.entries(contract)).toEqual([
      ['room/:roomId', said],
      ['lobby', said],
    ]);
    expect(Object.isFrozen(contract)).toBe(true);
  });

  it('refuses an empty contract, and entries that are no channels', () => {
    expect(messageOf(() => defineContract({}))).toMatch(/the contract is empty/);
    const untypedContract = defineContract as (channels: unknown) => unknown;
    expect(messageOf(() => untypedContract({ said: { events: { said: Text } } }))).toMatch(/"said" is not a channel/);
    expect(messageOf(() => untypedContract({ said: undefined }))).toMatch(/"said" is not a channel/);
  });

  it('refuses bad and ambiguous patterns', () => {
    expect(messageOf(() => defineContract({ 'room/': said }))).toMatch(/bad pattern "room\/": a segment is empty/);
    expect(messageOf(() => defineContract({ 'room/:a': said, 'room/:b': said }))).toMatch(/matches the same channels/);
  });
});
