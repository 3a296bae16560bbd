/** An app in outline, of which the snippets of `mistakes.ts` get something wrong. It is compiled, and never run. */
import { type ClientChannel, createClient } from '@runnel/client';
import { channel, defineContract, latestBy, relay, volatile } from '@runnel/protocol';
import { createServer, type RunnelServer } from '@runnel/server';
import { z } from 'zod';

export const Message = z.object({ id: z.string(), text: z.string(), at: z.date() });

const channels = defineContract({
  'room/:roomId': channel({
    events: { message: Message, typing: volatile(z.object({ name: z.string() })) },
    publish: { message: z.object({ text: z.string() }), typing: relay },
    requests: {
      edit: {
        input: z.object({ id: z.string(), text: z.string() }),
        output: Message,
        errors: { locked: z.object({ by: z.string() }) },
      },
      ask: { input: z.string(), yields: z.object({ token: z.string() }), output: z.number() },
    },
    presence: z.object({ color: z.string() }),
    history: { size: 200, ttl: '1h' },
  }),
  ticker: channel({
    events: { quote: latestBy(z.object({ symbol: z.string(), price: z.number() }), (quote) => quote.symbol) },
    snapshot: z.array(z.number()),
  }),
  ledger: channel({
    events: { total: z.object({ cents: z.bigint(), byUser: z.map(z.string(), z.number()) }) },
    publish: { since: z.date() },
  }),
});

type Channels = typeof channels;
export interface AppContract extends Channels {}
export const contract: AppContract = channels;

export interface User {
  readonly id: string;
  readonly name: string;
}

export const realtime: RunnelServer<AppContract, User> = createServer({
  contract,
  authenticate: () => ({ id: '1', name: 'Ann' }),
});

export const client = createClient<AppContract>('/realtime');
export const room: ClientChannel<AppContract, 'room/:roomId'> = client.channel('room/:roomId', { roomId: 'lobby' });
export const ticker: ClientChannel<AppContract, 'ticker'> = client.channel('ticker');
export const ledger: ClientChannel<AppContract, 'ledger'> = client.channel('ledger');

/** The handlers of `room/:roomId`, all of them right. */
export const message = (): void => {};
export const edit = (): z.input<typeof Message> => ({ id: '', text: '', at: new Date() });
export async function* ask(): AsyncGenerator<{ token: string }, number> {
  yield { token: '' };
  return 1;
}
