import { channel, defineContract, relay } from '@runnel/protocol';
import { z } from 'zod';

/** What the processes of a cluster serve. */
export const contract = defineContract({
  'feed/:id': channel({
    events: { item: z.string() },
    publish: { item: relay },
    history: { size: 10_000, ttl: '1h' },
  }),
  live: channel({ events: { item: z.string() } }),
});
export type Contract = typeof contract;

/** What the test tells a node's process. */
export type NodeOrder =
  | { readonly do: 'publish'; readonly channels: readonly string[]; readonly perSecond: number }
  | { readonly do: 'broadcast'; readonly text: string }
  | { readonly do: 'rest' };

/** What a node's process tells the test. */
export type NodeNews =
  | { readonly is: 'listening' }
  | { readonly is: 'accepted'; readonly channel: string; readonly text: string }
  | { readonly is: 'broadcast'; readonly text: string }
  | { readonly is: 'resting' };
