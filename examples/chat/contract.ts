import { channel, defineContract, relay, volatile } from '@runnel/protocol';
import { z } from 'zod';

const Person = z.object({ name: z.string().min(1).max(40) });

const channels = defineContract({
  'room/:roomId': channel({
    events: { message: z.object({ from: z.string(), text: z.string() }), typing: volatile(Person) },
    publish: { message: z.object({ text: z.string().trim().min(1).max(2_000) }), typing: relay },
    presence: { input: z.object({}), member: Person },
    history: { size: 200, ttl: '1d' },
  }),
});

type Channels = typeof channels;
export interface ChatContract extends Channels {}
export const contract: ChatContract = channels;
