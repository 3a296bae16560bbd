import type { StandardSchema } from '@runnel/protocol';
import { channel, defineContract, relay, volatile } from '@runnel/protocol';

/** A schema that takes anything that has the type: the server's part is not tested here. */
function anything<T>(): StandardSchema<T> {
  return { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) } };
}

const channels = defineContract({
  'room/:roomId': channel({
    events: { message: anything<{ text: string }>(), typing: volatile(anything<{ name: string }>()) },
    publish: { message: anything<{ text: string }>(), typing: relay },
    requests: {
      edit: {
        input: anything<{ id: string }>(),
        output: anything<{ text: string }>(),
        errors: { locked: anything<string>() },
      },
      leave: {},
      ask: {
        input: anything<{ prompt: string }>(),
        yields: anything<string>(),
        output: anything<{ tokens: number }>(),
        errors: { refused: anything<{ why: string }>() },
      },
    },
    presence: anything<{ color: string }>(),
    history: { size: 50, ttl: '1h' },
  }),
  ticker: channel({
    events: { quote: anything<{ symbol: string; price: number }>() },
    snapshot: anything<{ prices: readonly number[] }>(),
  }),
  'secret/:name': channel({ events: { message: anything<string>() } }),
});

type Channels = typeof channels;
export interface AppContract extends Channels {}
export const contract: AppContract = channels;
