import { channel, defineContract, relay, volatile } from '@runnel/protocol';
import { count, lateSchema, schema, text, withText } from './schemas.ts';

/** Trims; refuses what is empty then. */
const Line = schema<{ readonly text: string }>((value) => {
  const given = (value as { readonly text?: unknown } | null)?.text;
  if (typeof given !== 'string' || given.trim() === '') throw new Error('expected text');
  return { text: given.trim() };
});

const At = schema<Date>((value) => {
  const date = new Date(value as string | Date);
  if (Number.isNaN(date.getTime())) throw new Error('expected a date');
  return date;
});

const channels = defineContract({
  'room/:roomId': channel({
    events: { message: Line, stamped: At, note: text, typing: volatile(withText('name')), huge: text },
    publish: { message: Line, note: relay, typing: relay, nudge: volatile(text) },
    requests: {
      edit: { input: withText('id'), output: Line, errors: { locked: withText('by') } },
      count: { output: count },
      leave: {},
      late: { input: lateSchema(text), output: lateSchema(text) },
    },
    presence: withText('color'),
    history: { size: 100, ttl: '1h' },
  }),
  log: channel({ events: { line: count }, history: { size: 1_000, ttl: '1h' } }),
  ticker: channel({ events: { quote: count } }),
  'user/:userId': channel({
    events: { notice: text },
    presence: { input: withText('device'), member: withText('name') },
    history: { size: 3, ttl: '1m' },
  }),
});

type Channels = typeof channels;
export interface AppContract extends Channels {}
export const contract: AppContract = channels;
