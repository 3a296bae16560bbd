import { z } from 'zod';
import { type Channel, channel, defineContract, latestBy, relay, volatile } from '../../src/contract/index.ts';
import type { Assert, Equal } from './equal.ts';

const Text = z.string();

// What is declared is kept exactly, so that what is not declared is known to be absent.
const minimal = channel({ events: { said: Text } });
export type Kept = Assert<[Equal<keyof (typeof minimal)['definition'], 'events'>]>;

latestBy(z.object({ at: z.coerce.date(), n: z.number() }), ({ at, n }) => {
  type Checks = Assert<[Equal<typeof at, Date>, Equal<typeof n, number>]>;
  return `${at.getTime()}/${n}` satisfies Checks extends true[] ? string : never;
});
// @ts-expect-error a key is a string or a number
latestBy(Text, () => ({}));
// @ts-expect-error not a schema
volatile({ type: 'string' });

export const refused: Channel[] = [
  // @ts-expect-error events is required
  channel({ publish: { said: Text } }),
  // @ts-expect-error not a schema
  channel({ events: { said: 'string' } }),
  // @ts-expect-error an event is not relayed
  channel({ events: { said: relay } }),
  // @ts-expect-error a relayed event is declared in events
  channel({ events: { said: Text }, publish: { sayed: relay } }),
  // @ts-expect-error only events are conflated
  channel({ events: { said: Text }, publish: { said: latestBy(Text, (text) => text) } }),
  // @ts-expect-error no such option
  channel({ events: { said: Text }, histroy: { size: 1, ttl: '1h' } }),
  // @ts-expect-error no such unit
  channel({ events: { said: Text }, history: { size: 1, ttl: '1 hour' } }),
  // @ts-expect-error both bounds are needed
  channel({ events: { said: Text }, history: { size: 1 } }),
  // @ts-expect-error no such policy
  channel({ events: { said: Text }, onSlow: 'drop' }),
];

// @ts-expect-error a contract is made of channels
defineContract({ said: { events: { said: Text } } });
