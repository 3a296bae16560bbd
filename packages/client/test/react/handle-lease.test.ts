import { beforeEach, expect, test } from 'vitest';
import type { ClientChannel } from '../../src/index.ts';
import { anyChannel } from '../../src/react/any-channel.ts';
import { HandleLease } from '../../src/react/handle-lease.ts';
import type { AppContract } from '../app-contract.ts';
import { World } from '../world.ts';

let world: World;
let room: ClientChannel<AppContract, 'room/:roomId'>;
let lease: HandleLease;

beforeEach(async () => {
  world = new World();
  const client = world.client();
  await world.until(() => client.diagnose().transport === 'websocket');
  room = client.channel('room/:roomId', { roomId: 'lobby' });
  lease = new HandleLease(anyChannel(room));
});

test('a handle is closed when its component has gone, with all that was added to it', async () => {
  const go = lease.take();
  room.on('message', () => {});
  await world.run(100);
  go();
  await world.run(100);
  expect(room.state.status).toBe('idle');
});

test('a handle is kept for a component that is back in the same turn', async () => {
  const heard: unknown[] = [];
  const go = lease.take();
  room.on('message', ({ text }) => heard.push(text));
  await world.run(100);
  go();
  lease.take();
  await world.run(100);
  world.broadcast('room/lobby', 0, { text: 'still here' });
  await world.run(100);
  expect(heard).toEqual(['still here']);
  expect(world.frames.map(([type]) => type)).toEqual([28]);
});
