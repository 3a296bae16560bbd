import { channel, defineContract, latestBy, relay, volatile } from '@runnel/protocol';
import { z } from 'zod';

const Line = z.object({ text: z.string().min(1), n: z.number().int().optional() });

const channels = defineContract({
  /** Everything that a channel can have. */
  'room/:roomId': channel({
    events: { message: Line, note: z.unknown(), typing: volatile(z.object({ name: z.string() })) },
    publish: { message: Line, note: relay, typing: relay, nudge: volatile(z.string()) },
    requests: {
      ask: { input: z.unknown(), output: z.unknown(), errors: { locked: z.object({ by: z.string() }) } },
      wake: {},
      /** Answers in parts. */
      count: {
        input: z.object({ to: z.number() }),
        yields: z.number(),
        output: z.string(),
        errors: { stuck: z.object({ at: z.number() }) },
      },
      /** May be run again. */
      look: { output: z.string(), idempotent: true },
    },
    presence: { input: z.object({ mood: z.string() }), member: z.object({ mood: z.string(), name: z.string() }) },
    history: { size: 100, ttl: '1h' },
  }),
  /** Keeps no more than three messages. */
  'short/:id': channel({ events: { tick: z.number() }, history: { size: 3, ttl: '1h' } }),
  /** Keeps nothing. */
  'live/:id': channel({ events: { tick: z.number() }, publish: { tick: z.number() } }),
  /** State, and what changes it. */
  'board/:id': channel({
    events: { set: latestBy(z.object({ key: z.string(), value: z.unknown() }), ({ key }) => key) },
    snapshot: z.record(z.string(), z.unknown()),
  }),
  /** What is too old by the time it can be sent is not sent. */
  'feed/:id': channel({ events: { item: z.number() }, onSlow: 'drop-oldest' }),
  /** One user's own. */
  'user/:userId': channel({
    events: { notice: z.string() },
    publish: { notice: relay },
    requests: { secret: { output: z.string() } },
    history: { size: 10, ttl: '1h' },
  }),
  /** Nobody has registered handlers for it. */
  orphan: channel({ events: { tick: z.number() } }),
});

type Channels = typeof channels;
export interface Contract extends Channels {}
export const contract: Contract = channels;
