/** Runnel with its defaults: counted frames, outbox, heartbeats, memory broker, and zod for whatever is broadcast, published or asked. */
import { createServer as createHttpServer } from 'node:http';
import { channel, defineContract, relay, volatile } from '@runnel/protocol';
import { type Broker, createServer } from '@runnel/server';
import { z } from 'zod';
import { type Contender, listen, type Setup } from './contender.ts';

const Message = z.object({ n: z.number(), text: z.string() });
/** Longer than any run: no heartbeat is ever due. */
const NEVER_MS = 3_600_000;

export async function startRunnel({ heartbeats, history, deflate, broker, brokerUrl }: Setup): Promise<Contender> {
  const contract = defineContract({
    'room/:roomId': channel({
      events: { message: Message, note: volatile(Message) },
      publish: { message: Message, note: relay },
      requests: { echo: { input: Message, output: Message } },
      ...(history === null ? {} : { history: { size: history, ttl: '1h' } as const }),
    }),
  });
  const realtime = createServer({
    contract,
    broker: await brokerOf(broker, brokerUrl),
    authenticate: ({ auth }) => (typeof auth === 'string' ? { id: auth } : null),
    compression: deflate,
    ...(heartbeats === 'off' ? { limits: { heartbeatMs: NEVER_MS } } : {}),
  });
  realtime.handle('room/:roomId', {
    open: true,
    publish: { message: ({ data, channel: room }) => room.broadcast('message', data) },
    requests: { echo: ({ data }) => data },
  });
  const http = createHttpServer();
  realtime.attach(http);
  const port = await listen(http);
  const roomOf = (index: number) => realtime.channel('room/:roomId', { roomId: String(index) });
  const rooms: ReturnType<typeof roomOf>[] = [];
  return {
    port,
    version: 'Runnel',
    broadcast(index, payload) {
      let room = rooms[index];
      if (room === undefined) {
        room = roomOf(index);
        rooms[index] = room;
      }
      // Failures also reach `onError`, which prints them; the subscribers will be waited for in vain.
      void room.broadcast('message', payload).catch(() => {});
    },
  };
}

/** Only what is asked for is loaded, so that nothing else is in its memory. */
async function brokerOf(name: Setup['broker'], url: string | null): Promise<Broker | undefined> {
  if (name === null || url === null) return undefined;
  if (name === 'redis') return (await import('@runnel/server/redis')).redisBroker({ url });
  return (await import('@runnel/server/nats')).natsBroker({ servers: url });
}
