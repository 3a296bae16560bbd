/** The contract of the application world: a channel with history, one without, and requests. */
import { channel, defineContract, relay, type StandardSchema } from '@runnel/protocol';

const text: StandardSchema<string> = {
  '~standard': {
    version: 1,
    vendor: 'simulation',
    validate: (value) => (typeof value === 'string' ? { value } : { issues: [{ message: 'expected a string' }] }),
  },
};

const channels = defineContract({
  'room/:room': channel({
    events: { message: text },
    publish: { message: text },
    requests: { echo: { input: text, output: text } },
    history: { size: 40, ttl: '1h' },
  }),
  'ticker/:room': channel({
    events: { message: text },
    publish: { message: relay },
  }),
});

type Channels = typeof channels;
export interface AppContract extends Channels {}
export const contract: AppContract = channels;
