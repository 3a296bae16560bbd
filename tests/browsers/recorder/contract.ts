import { channel, defineContract } from '@runnel/protocol';
import { z } from 'zod';

const Tick = z.object({ n: z.number().int() });

const channels = defineContract({
  // Both ways: what the page publishes stays with the server.
  numbers: channel({
    events: { tick: Tick },
    publish: { tick: Tick.extend({ tab: z.string() }) },
    history: { size: 5_000, ttl: '1h' },
  }),
});

type Channels = typeof channels;
export interface Contract extends Channels {}
export const contract: Contract = channels;
