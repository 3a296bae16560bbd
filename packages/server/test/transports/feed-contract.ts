import { channel, defineContract, volatile } from '@runnel/protocol';
import { schema, text } from '../schemas.ts';

const anything = schema<unknown>((value) => value);

const channels = defineContract({
  'room/:roomId': channel({
    events: { message: anything, typing: volatile(text) },
    history: { size: 5, ttl: '1h' },
  }),
  /** Keeps everything that a test may send. */
  log: channel({ events: { line: anything }, history: { size: 1_000, ttl: '1h' } }),
  /** Keeps nothing. */
  live: channel({ events: { tick: anything } }),
  /** Has no handlers. */
  orphan: channel({ events: { tick: anything } }),
});

type Channels = typeof channels;
export interface FeedContract extends Channels {}
export const feedContract: FeedContract = channels;
