import { channel, defineContract } from '@runnel/protocol';
import { z } from 'zod';

const channels = defineContract({
  assistant: channel({
    events: { notice: z.string() },
    requests: {
      ask: {
        input: z.object({ prompt: z.string().min(1).max(4_000) }),
        yields: z.string(), // a token
        output: z.object({ tokens: z.number() }), // what is told at the end
        errors: { refused: z.object({ why: z.string() }) },
      },
    },
  }),
});

type Channels = typeof channels;
export interface AssistantContract extends Channels {}
export const contract: AssistantContract = channels;
