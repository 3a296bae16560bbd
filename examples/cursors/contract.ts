import { channel, defineContract, relay, volatile } from '@runnel/protocol';
import { z } from 'zod';

/** Where somebody points, as a share of the board. */
const Cursor = z.object({ id: z.string(), x: z.number().min(0).max(1), y: z.number().min(0).max(1) });

const channels = defineContract({
  'board/:boardId': channel({
    // Only the latest place matters: a lost one is not sent again.
    events: { cursor: volatile(Cursor) },
    publish: { cursor: relay },
    presence: z.object({ name: z.string().max(40) }),
  }),
});

type Channels = typeof channels;
export interface CursorsContract extends Channels {}
export const contract: CursorsContract = channels;
