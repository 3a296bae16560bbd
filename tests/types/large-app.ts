/** Writes an app of many channels, in which nothing is shared between them: no compiler can do one and know the others. */

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
const pattern = (n: number): string => `'area${n}/:areaId/room${n}/:roomId'`;

/** A contract of so many channels, each of which declares all that there is. */
export function contractOf(channels: number): string {
  return `import { channel, defineContract, latestBy, relay, volatile } from '@runnel/protocol';
import { z } from 'zod';
${range(channels).map(messageOf).join('')}
const channels = defineContract({
${range(channels).map(channelOf).join('')}});
type Channels = typeof channels;
export interface AppContract extends Channels {}
export const contract: AppContract = channels;
`;
}

/** A client that uses every part of every channel. */
export function clientOf(channels: number): string {
  return `import { createClient } from '@runnel/client';
import type { AppContract } from './contract.ts';
const client = createClient<AppContract>('/realtime');
${range(channels).map(useOf).join('')}`;
}

/** A server that handles every part of every channel. */
export function serverOf(channels: number): string {
  return `import { createServer } from '@runnel/server';
import { contract } from './contract.ts';
const realtime = createServer({ contract, authenticate: () => ({ id: '1', name: 'Ann' }) });
${range(channels).map(handlersOf).join('')}`;
}

/** What an app imports, without an app. */
export const nothing = `import '@runnel/client';
import '@runnel/protocol';
import '@runnel/server';
import { z } from 'zod';
z.string();
`;

const messageOf = (n: number): string =>
  `const Message${n} = z.object({ id: z.string(), text: z.string(), at: z.date(), n${n}: z.number() });\n`;

const channelOf = (n: number): string => `  ${pattern(n)}: channel({
    events: {
      message: Message${n},
      typing: volatile(z.object({ name: z.string() })),
      quote: latestBy(z.object({ symbol: z.string(), price: z.number() }), ({ symbol }) => symbol),
    },
    publish: { message: z.object({ text: z.string(), n${n}: z.number() }), typing: relay },
    requests: {
      edit: {
        input: z.object({ id: z.string(), n${n}: z.number() }),
        output: Message${n},
        errors: { locked: z.object({ by: z.string() }), gone: z.null() },
        idempotent: true,
      },
      ask: { input: z.string(), yields: z.object({ token: z.string() }), output: z.number() },
    },
    presence: {
      input: z.object({ color: z.string() }),
      member: z.object({ color: z.string(), name: z.string() }),
    },
    history: { size: 200, ttl: '1h' },
    snapshot: z.array(Message${n}),
    onSlow: 'drop-oldest',
  }),
`;

const useOf = (n: number): string => `export async function use${n}() {
  const room = client.channel(${pattern(n)}, { areaId: 'a', roomId: 'b' }, { rewind: 50 });
  room.on('message', ({ at, n${n} }, { offset }) => at.length + n${n} + (offset ?? 0));
  room.on('quote', ({ price }) => price.toFixed());
  room.onSnapshot((state) => state.map(({ at }) => at.length));
  await room.publish('message', { text: '', n${n}: 1 });
  room.send('typing', { name: '' });
  const edited = await room.request('edit', { id: '', n${n}: 1 });
  const again = await room.request('edit', { id: '', n${n}: 1 }).result();
  if (!again.ok && again.error.code === 'locked') again.error.data.by.trim();
  for await (const { token } of room.iterate('ask', '?')) token.trim();
  for await (const { event, data } of room.messages()) if (event === 'quote') data.price.toFixed();
  await room.presence.enter({ color: '' });
  return [edited.text, room.presence.members().map(({ data }) => data.name)];
}
`;

const handlersOf = (n: number): string => `realtime.handle(${pattern(n)}, {
  authorize: ({ user, params, action }) => user.id === params.areaId && action !== 'presence',
  publish: {
    message: ({ data, user, channel }) =>
      channel.broadcast('message', { id: '', text: data.text + user.name, at: new Date(), n${n}: data.n${n} }),
  },
  requests: {
    edit: ({ data, fail }) =>
      data.n${n} === 1 ? fail('locked', { by: '' }) : { id: data.id, text: '', at: new Date(), n${n}: 1 },
    ask: async function* ({ data }) {
      yield { token: data };
      return 1;
    },
  },
  presence: ({ data, user }) => ({ ...data, name: user.name }),
  snapshot: () => [],
  onSubscribe: ({ channel }) => channel.broadcast('typing', { name: '' }),
});
void realtime.channel(${pattern(n)}, { areaId: 'a', roomId: 'b' }).broadcast('quote', { symbol: '', price: 1 });
`;
