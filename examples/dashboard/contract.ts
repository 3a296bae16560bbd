import { channel, defineContract, latestBy } from '@runnel/protocol';
import { z } from 'zod';

const Gauge = z.object({ name: z.string(), percent: z.number().min(0).max(100) });

const channels = defineContract({
  'dashboard/:team': channel({
    events: { gauge: latestBy(Gauge, ({ name }) => name) },
    snapshot: z.record(z.string(), z.number()),
    presence: { input: z.object({}), member: z.object({ name: z.string() }) },
  }),
});

type Channels = typeof channels;
export interface DashboardContract extends Channels {}
export const contract: DashboardContract = channels;
