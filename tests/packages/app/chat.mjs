// A server on a free port and a client for each transport, all in one process. It prints what it saw, and has to end by itself.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createClient } from '@runnel/client';
import { channel, defineContract } from '@runnel/protocol';
import { createServer } from '@runnel/server';
import { z } from 'zod';

const contract = defineContract({
  'room/:roomId': channel({
    events: { message: z.object({ text: z.string(), from: z.string() }) },
    publish: { message: z.object({ text: z.string().max(100) }) },
  }),
});

const realtime = createServer({ contract, authenticate: ({ auth }) => ({ id: auth }) });
realtime.handle('room/:roomId', {
  authorize: () => true,
  publish: { message: ({ data, user, channel }) => channel.broadcast('message', { ...data, from: user.id }) },
});
const http = createHttpServer();
realtime.attach(http);
http.listen(0, '127.0.0.1');
await once(http, 'listening');

async function exchange(transport) {
  const url = `http://127.0.0.1:${http.address().port}/realtime`;
  const client = createClient(url, { auth: `ann by ${transport}`, transports: [transport] });
  const room = client.channel('room/:roomId', { roomId: transport });
  const received = new Promise((resolve) => room.on('message', resolve));
  await room.publish('message', { text: 'hi' });
  const message = await received;
  const invalid = await room.publish('message', { text: 'x'.repeat(101) }).catch(({ code }) => code);
  const { transport: used } = client.diagnose();
  client.close();
  return { used, message, invalid };
}

console.log(JSON.stringify(await Promise.all(['websocket', 'stream', 'poll'].map(exchange))));
await realtime.close();
http.close();
