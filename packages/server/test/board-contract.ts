import { channel, defineContract, latestBy } from '@runnel/protocol';
import { count, schema, text, withText } from './schemas.ts';

/** In: a date. Out: its milliseconds. */
const Since = schema<number, Date>((value) => {
  if (!(value instanceof Date)) throw new Error('expected a date');
  return value.getTime();
});

/** What streams and what has a state. */
const channels = defineContract({
  'board/:boardId': channel({
    events: { moved: latestBy(count, String) },
    requests: {
      ask: { input: text, yields: withText('token'), output: count, errors: { full: withText('by') } },
      tail: { yields: Since },
      find: { input: text, output: text, idempotent: true },
      move: { input: count },
    },
    snapshot: Since,
    history: { size: 100, ttl: '1h' },
  }),
});

type Channels = typeof channels;
export interface BoardContract extends Channels {}
export const boardContract: BoardContract = channels;
