// The tests of an app, without a port.
import { channel, defineContract } from '@runnel/protocol';
import { createServer } from '@runnel/server';
import { createTestClient, next } from '@runnel/testing';
import { z } from 'zod';

const contract = defineContract({
  room: channel({ events: { message: z.string() }, publish: { message: z.string() } }),
});
const realtime = createServer({ contract, authenticate: () => null });
realtime.handle('room', {
  open: true,
  publish: { message: ({ data, user, channel }) => channel.broadcast('message', `${user.id}: ${data}`) },
});

const alice = createTestClient(realtime, { user: { id: 'alice' } });
const room = alice.channel('room');
const heard = next(room, 'message');
await room.publish('message', 'hi');
console.log((await heard).data);
await alice[Symbol.asyncDispose]();
await realtime.close();
