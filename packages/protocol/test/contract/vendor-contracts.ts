// One app, declared three times: with zod, valibot and arktype. All three are to be the same contract.
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { channel, defineContract, latestBy, relay, volatile } from '../../src/contract/index.ts';

const isFree = async (name: string): Promise<boolean> => {
  await Promise.resolve();
  return name !== 'taken';
};

const zodDate = z.iso
  .datetime()
  .transform((at) => new Date(at))
  .pipe(z.date());
const zodQuote = z.object({ symbol: z.string(), price: z.coerce.number() });
export const zodContract = defineContract({
  'room/:roomId': channel({
    events: {
      message: z.object({ id: z.string(), at: zodDate }),
      typing: volatile(z.object({ name: z.string() })),
      quote: latestBy(zodQuote, ({ symbol, price }) => `${symbol} ${price.toFixed(1)}`),
    },
    publish: { message: z.object({ text: z.string(), tone: z.string().default('calm') }), typing: relay },
    requests: {
      order: {
        input: z.object({ items: z.array(z.object({ price: z.number() })) }),
        output: z.object({ at: z.date() }),
        errors: { sold: z.object({ to: z.string() }) },
      },
      ask: { input: z.string(), yields: z.object({ token: z.string() }), output: z.number() },
    },
    presence: { input: z.object({ color: z.string() }), member: z.object({ color: z.string(), since: z.date() }) },
    snapshot: z.array(z.object({ id: z.string() })),
  }),
  ledger: channel({ events: { total: z.object({ cents: z.bigint() }), owners: z.map(z.string(), z.number()) } }),
});
export const zodFreeName = z.string().refine(isFree, 'is taken');

const valibotDate = v.pipe(
  v.string(),
  v.isoTimestamp(),
  v.transform((at) => new Date(at)),
  v.date(),
);
const valibotQuote = v.object({ symbol: v.string(), price: v.pipe(v.unknown(), v.transform(Number), v.number()) });
export const valibotContract = defineContract({
  'room/:roomId': channel({
    events: {
      message: v.object({ id: v.string(), at: valibotDate }),
      typing: volatile(v.object({ name: v.string() })),
      quote: latestBy(valibotQuote, ({ symbol, price }) => `${symbol} ${price.toFixed(1)}`),
    },
    publish: { message: v.object({ text: v.string(), tone: v.optional(v.string(), 'calm') }), typing: relay },
    requests: {
      order: {
        input: v.object({ items: v.array(v.object({ price: v.number() })) }),
        output: v.object({ at: v.date() }),
        errors: { sold: v.object({ to: v.string() }) },
      },
      ask: { input: v.string(), yields: v.object({ token: v.string() }), output: v.number() },
    },
    presence: { input: v.object({ color: v.string() }), member: v.object({ color: v.string(), since: v.date() }) },
    snapshot: v.array(v.object({ id: v.string() })),
  }),
  ledger: channel({ events: { total: v.object({ cents: v.bigint() }), owners: v.map(v.string(), v.number()) } }),
});
export const valibotFreeName = v.pipeAsync(v.string(), v.checkAsync(isFree, 'is taken'));

const arktypeQuote = type({ symbol: 'string', price: 'unknown' }).pipe(
  ({ symbol, price }) => ({ symbol, price: Number(price) }),
  type({ symbol: 'string', price: 'number' }),
);
export const arktypeContract = defineContract({
  'room/:roomId': channel({
    events: {
      message: type({ id: 'string', at: 'string.date.iso.parse' }),
      typing: volatile(type({ name: 'string' })),
      quote: latestBy(arktypeQuote, ({ symbol, price }) => `${symbol} ${price.toFixed(1)}`),
    },
    publish: { message: type({ text: 'string', tone: "string = 'calm'" }), typing: relay },
    requests: {
      order: {
        input: type({ items: type({ price: 'number' }).array() }),
        output: type({ at: 'Date' }),
        errors: { sold: type({ to: 'string' }) },
      },
      ask: { input: type('string'), yields: type({ token: 'string' }), output: type('number') },
    },
    presence: { input: type({ color: 'string' }), member: type({ color: 'string', since: 'Date' }) },
    snapshot: type({ id: 'string' }).array(),
  }),
  ledger: channel({ events: { total: type({ cents: 'bigint' }), owners: type('Map') } }),
});
