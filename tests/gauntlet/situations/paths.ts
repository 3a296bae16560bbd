/** Paths that are long, thin or uneven. None of that is a reason to take them for dead. */
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { Jitter, Naps, SingleBytes, SlowStart, ThinLine } from '../intermediaries/carriage.ts';
import { type Situation, situation, TRAFFIC } from '../situation.ts';
import { through } from './middleboxes.ts';

const ON_WEBSOCKET = { settlesOn: 'websocket', proves: ['poll', 'websocket'] } as const;

const FIRST_PACKET_MS = 700;
const JITTER_MS = 200;
const NAP_MS = 500;
const NAP_EVERY_MS = 1_500;
/** UTF-16 units that take about 100 kB as JSON, and how long that is under way at 256 kbit/s, ms. */
const LARGE = 50_000;
const LARGE_MS = 3_500;

function longPath(oneWayMs: number, attachesMax: number): Situation {
  return situation({
    name: `a path of ${oneWayMs} ms each way`,
    start: async ({ port }) => {
      const proxy = await TcpProxy.start(port);
      proxy.delayMs.up = proxy.delayMs.down = oneWayMs;
      return { port: proxy.port, stop: () => proxy.close() };
    },
    attachesMax,
    // Two round trips: one for the connection, one for the attach; or one for the POST before, one for a change of transports.
    pathMs: { first: 4 * oneWayMs, slowest: 4 * oneWayMs },
    ...ON_WEBSOCKET,
  });
}

export const PATHS: readonly Situation[] = [
  situation({
    name: 'a network that brings single bytes',
    start: through({ carriage: () => new SingleBytes() }),
    traffic: { ...TRAFFIC, everyMs: 100, length: 30 },
    settlesOn: 'websocket',
    // A byte takes a turn of the event loop.
    pathMs: { first: 600, slowest: 600 },
    // Bytes of an answer overtake each other's questions, and so make for more round trips than there are.
    roundTripsMax: 6,
  }),
  longPath(200, 2),
  longPath(300, 2),
  situation({
    name: 'a thin path with 100 kB under way, first up and then down',
    start: through(() => {
      const lines = { up: new ThinLine(256), down: new ThinLine(256) };
      return { carriage: (direction) => lines[direction] };
    }),
    ...ON_WEBSOCKET,
    pathMs: { first: 0, slowest: LARGE_MS },
    meanwhile: async ({ origin, publish, settles, arrived, delivered, quietly }) => {
      await settles('websocket');
      await arrived();
      // Nothing comes down that would be a sign of life.
      await quietly(async () => {
        await delivered();
        publish(LARGE);
        await delivered();
      });
      // What comes down holds up the answers to everything else.
      await origin.broadcast(LARGE);
      await arrived();
    },
  }),
  situation({
    name: `a path whose first packet takes ${FIRST_PACKET_MS} ms`,
    start: through({ carriage: () => new SlowStart(FIRST_PACKET_MS) }),
    pathMs: { first: 2 * FIRST_PACKET_MS, slowest: 2 * FIRST_PACKET_MS },
    attachesMax: 4,
  }),
  situation({
    name: `a path that takes between 0 and ${JITTER_MS} ms, by turns`,
    start: through({ carriage: () => new Jitter(JITTER_MS) }),
    pathMs: { first: 2 * JITTER_MS, slowest: 4 * JITTER_MS },
    ...ON_WEBSOCKET,
  }),
  situation({
    name: `a radio that brings nothing for ${NAP_MS} ms in every 1.5 s`,
    start: through({ carriage: () => new Naps(NAP_EVERY_MS, NAP_MS) }),
    pathMs: { first: 2 * NAP_MS, slowest: NAP_MS },
    traffic: { ...TRAFFIC, talkMs: 2_500 },
    ...ON_WEBSOCKET,
  }),
];
