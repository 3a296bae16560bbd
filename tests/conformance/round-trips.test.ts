/** How many round trips pass before the first message is there, over a path where each of them is slow. */
import type { Transport } from '@runnel/client';
import { describe, expect, it } from 'vitest';
import { FlightCounter } from '../support/flight-counter.ts';
import { collect, connect, roomOf, startProxy, type TcpProxy, TestServer } from './harness.ts';

/** Of each chunk, one way: long beside what two processes on one machine take, so that what races does so as on a real path. */
const DELAY_MS = 60;

interface World {
  readonly server: TestServer;
  readonly proxy: TcpProxy;
  readonly counter: FlightCounter;
}

async function world(): Promise<World> {
  const server = await TestServer.start();
  await server.realtime.channel('room/:roomId', { roomId: 'lobby' }).broadcast('message', { text: 'hello' });
  const proxy = await startProxy(server);
  proxy.delayMs.up = proxy.delayMs.down = DELAY_MS;
  const counter = new FlightCounter();
  proxy.observer = counter;
  return { server, proxy, counter };
}

/** Leaves connections behind that the next requests take, as a page does that was loaded over them. */
async function warm({ proxy, counter }: World, connections = 1): Promise<void> {
  let accepted: number;
  const visit = async (): Promise<string> => (await fetch(`http://127.0.0.1:${proxy.port}/elsewhere`)).text();
  // Node's fetch opens one connection more than it needs before it begins to use them again.
  do {
    accepted = proxy.accepted;
    await Promise.all(Array.from({ length: connections }, visit));
  } while (proxy.accepted > accepted);
  counter.restart();
}

/** Round trips from nothing to a channel's first message, which waits in its history. */
async function tripsToFirstMessage({ proxy, counter }: World, transports?: readonly Transport[]): Promise<number> {
  const room = roomOf(connect(proxy, transports === undefined ? {} : { transports }), 'lobby', { rewind: 1 });
  let trips = Number.NaN;
  const messages = collect<unknown>((push) =>
    room.on('message', (data, meta) => {
      trips = counter.roundTrips;
      push(data, meta);
    }),
  );
  await messages.count(1);
  return trips;
}

describe('round trips to the first message', () => {
  it('are one over a connection that is there, with the default transports', async () => {
    const here = await world();
    await warm(here);
    expect(await tripsToFirstMessage(here)).toBe(1);
  });

  it('are two over a new connection, with the default transports', async () => {
    expect(await tripsToFirstMessage(await world())).toBe(2);
  });

  it.each([
    ['websocket', 3],
    ['stream', 2],
    ['poll', 2],
  ] as const)('are, over a new connection with %s alone, %i', async (transport, trips) => {
    expect(await tripsToFirstMessage(await world(), [transport])).toBe(trips);
  });

  it.each([
    ['stream', 1],
    ['poll', 1],
  ] as const)('are, over a connection that is there with %s alone, %i', async (transport, trips) => {
    const here = await world();
    await warm(here);
    expect(await tripsToFirstMessage(here, [transport])).toBe(trips);
  });

  it('stay two where the network bears no WebSocket and holds answers back until they are whole', async () => {
    const here = await world();
    here.proxy.holdsBodies = true;
    here.proxy.stripsUpgrades = true;
    expect(await tripsToFirstMessage(here)).toBe(2);
  });

  it('are no more with credentials and many channels: all of it rides in the first flight', async () => {
    const here = await world();
    await warm(here);
    const client = connect(here.proxy, { auth: async () => ({ user: 'ann', token: 'x'.repeat(1_000) }) });
    let trips = 0;
    const rooms = Array.from({ length: 20 }, (_, n) => roomOf(client, `room ${n}`));
    await Promise.all(
      rooms.map(async (room) => {
        await room.ready();
        trips = Math.max(trips, here.counter.roundTrips);
      }),
    );
    expect(trips).toBe(1);
  });

  it.each([
    ['the default transports', undefined],
    ['stream alone', ['stream']],
    ['poll alone', ['poll']],
  ] as const)(
    'are two for the answer of the first publish, which follows the welcome, over %s',
    async (_over, transports) => {
      const here = await world();
      // One for the poll or stream, one for the POST.
      await warm(here, 2);
      const client = connect(here.proxy, transports === undefined ? {} : { transports });
      const room = roomOf(client);
      room.on('message', () => {});
      await room.publish('message', { text: 'first' });
      expect(here.counter.roundTrips).toBe(2);
    },
  );
});
