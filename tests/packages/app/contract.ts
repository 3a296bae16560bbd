// Exported as it was made: its declaration must be one that TypeScript can write down.
import { channel, defineContract, latestBy, relay, volatile } from '@runnel/protocol';
import { z } from 'zod';

const Message = z.object({ text: z.string(), from: z.string() });

export const contract = defineContract({
  'room/:roomId': channel({
    events: { message: Message, typing: volatile(z.object({ name: z.string() })) },
    publish: { message: z.object({ text: z.string() }), typing: relay },
    requests: {
      rename: { input: z.string(), output: z.number(), errors: { locked: z.object({ by: z.string() }) } },
      spell: { input: z.string(), yields: z.string(), output: z.object({ letters: z.number() }) },
    },
    presence: z.object({ color: z.string() }),
    history: { size: 20, ttl: '1h' },
  }),
  ticker: channel({
    events: { quote: latestBy(z.object({ symbol: z.string(), price: z.number() }), ({ symbol }) => symbol) },
  }),
});
export type AppContract = typeof contract;
