import { channel, defineContract, relay } from '@runnel/protocol';
import { z } from 'zod';

/** `at` is when it was sent, on the clock of the process; `text` follows from `n`, so that what was altered on the way shows. */
const Numbered = z.object({ n: z.number().int(), at: z.number(), text: z.string() });

const channels = defineContract({
  down: channel({ events: { tick: Numbered }, history: { size: 5_000, ttl: '1h' } }),
  up: channel({ events: { tick: Numbered }, publish: { tick: relay } }),
});

type Channels = typeof channels;
export interface Contract extends Channels {}
export const contract: Contract = channels;
