import { channel, defineContract, latestBy, relay, volatile } from '@runnel/protocol';
import { z } from 'zod';

const Quote = z.object({ symbol: z.string(), price: z.number() });

const channels = defineContract({
  'room/:roomId': channel({
    events: { message: z.object({ text: z.string(), from: z.string() }), wave: volatile(z.string()) },
    publish: { message: z.string(), wave: relay },
    presence: { input: z.object({ mood: z.string() }), member: z.object({ mood: z.string(), name: z.string() }) },
    history: { size: 100, ttl: '1h' },
  }),
  ticker: channel({
    events: { quote: latestBy(Quote, ({ symbol }) => symbol) },
    snapshot: z.record(z.string(), z.number()),
  }),
  secret: channel({ events: { message: z.string() } }),
});

type Channels = typeof channels;
export interface ReactContract extends Channels {}
export const contract: ReactContract = channels;
