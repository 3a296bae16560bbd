import { z } from 'zod';
import { channel, defineContract, latestBy, relay, volatile } from '../../src/contract/index.ts';

export const Message = z.object({
  id: z.string(),
  text: z.string(),
  at: z.coerce.date(),
  tone: z.string().default(''),
});
export const Typing = z.object({ name: z.string() });
export const Quote = z.object({ symbol: z.string(), price: z.number() });

const channels = defineContract({
  'room/:roomId': channel({
    events: {
      message: Message,
      typing: volatile(Typing),
      cursor: volatile(z.object({ by: z.string(), x: z.number() })),
    },
    publish: {
      message: z.object({ text: z.string().transform((text) => text.length) }),
      typing: relay,
      cursor: volatile(z.object({ x: z.number() })),
    },
    requests: {
      edit: {
        input: z.object({ id: z.string(), at: z.coerce.date() }),
        output: Message,
        errors: { locked: z.object({ by: z.string(), until: z.coerce.date() }), gone: z.null() },
        idempotent: true,
      },
      ask: { input: z.string(), yields: z.object({ token: z.string(), at: z.date() }), output: z.number() },
      leave: {},
    },
    presence: z.object({ color: z.string().default('blue') }),
    history: { size: 200, ttl: '1h' },
  }),
  ticker: channel({
    events: { quote: latestBy(Quote, (quote) => quote.symbol) },
    snapshot: z.array(Quote.extend({ at: z.date() })),
    onSlow: 'drop-oldest',
  }),
  'user/:userId': channel({
    events: { notification: z.object({ title: z.string() }), seen: z.string() },
    publish: { seen: relay },
    presence: { input: z.object({ device: z.string() }), member: z.object({ device: z.string(), name: z.string() }) },
    history: { size: 50, ttl: 604_800_000 },
  }),
});

/** The contract of the tests, in the two forms that apps use. */
export type Channels = typeof channels;
export interface AppContract extends Channels {}
export const contract: AppContract = channels;
