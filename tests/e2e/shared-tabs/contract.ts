import { channel, defineContract } from '@runnel/protocol';
import { z } from 'zod';

const channels = defineContract({
  /** Keeps nothing: what is lost stays lost. */
  live: channel({
    events: { tick: z.number() },
    publish: { say: z.object({ from: z.string(), n: z.number() }) },
    requests: { ask: { input: z.number(), output: z.number() } },
  }),
  news: channel({ events: { item: z.string() }, history: { size: 10, ttl: '1h' } }),
});

type Channels = typeof channels;
export interface Contract extends Channels {}
export const contract: Contract = channels;
