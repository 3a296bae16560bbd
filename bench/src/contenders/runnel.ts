/** Runnel with its defaults: counted frames, outbox, heartbeats, memory broker; a schema checks every broadcast. */
import { createServer as createHttpServer } from 'node:http';
import { channel, defineContract, type StandardSchema } from '@runnel/protocol';
import { createServer } from '@runnel/server';
import type { Payload } from '../payload.ts';
import { type Contender, listen } from './contender.ts';

const Message: StandardSchema<Payload> = {
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate(value) {
      const { n, text } = Object(value) as Partial<Payload>;
      if (typeof n === 'number' && typeof text === 'string') return { value: { n, text } };
      return { issues: [{ message: 'expected a number and a text' }] };
    },
  },
};

const contract = defineContract({ 'room/:roomId': channel({ events: { message: Message } }) });

export async function startRunnel(): Promise<Contender> {
  const realtime = createServer({
    contract,
    authenticate: ({ auth }) => (typeof auth === 'string' ? { id: auth } : null),
  });
  realtime.handle('room/:roomId', { open: true });
  const http = createHttpServer();
  realtime.attach(http);
  const port = await listen(http);
  const room = realtime.channel('room/:roomId', { roomId: 'lobby' });
  return {
    port,
    version: 'Runnel',
    broadcast(payloads) {
      // Failures also reach `onError`, which prints them; the subscribers will be waited for in vain.
      for (const payload of payloads) void room.broadcast('message', payload).catch(() => {});
    },
  };
}
