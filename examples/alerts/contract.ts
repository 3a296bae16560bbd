import { channel, defineContract } from '@runnel/protocol';
import { z } from 'zod';

const channels = defineContract({
  'user/:userId': channel({
    events: { alert: z.object({ text: z.string(), at: z.number() }) },
    // Kept for those who are away: nothing is lost between two visits.
    history: { size: 50, ttl: '7d' },
  }),
});

type Channels = typeof channels;
export interface AlertsContract extends Channels {}
export const contract: AlertsContract = channels;
