/** Proxies that speak HTTP themselves, and do not do it as they should. None of them knows WebSockets. */
import {
  bouncer,
  cache,
  closer,
  cutter,
  doubler,
  downgrader,
  filter,
  hesitator,
  repeater,
  truncator,
} from '../intermediaries/clerks.ts';
import { type Clerk, startHttpBox } from '../intermediaries/http-box.ts';
import { type Situation, situation, TRAFFIC } from '../situation.ts';

const through =
  (clerk: () => Clerk) =>
  ({ port }: { readonly port: number }) =>
    startHttpBox(port, clerk());

const LONG = { ...TRAFFIC, talkMs: 2_500, quietMs: 1_000 };

const ON_STREAM = { settlesOn: 'stream', proves: ['poll', 'stream'] } as const;

/** How often something is done that is done now and then. */
const EVERY = 7;
/** Messages, and their UTF-16 units, that take more than two POSTs that the proxy takes. */
const BURST = 40;
const BURST_LENGTH = 1_000;
const HESITATION_MS = 700;

export const EXCHANGES: readonly Situation[] = [
  situation({
    name: 'a proxy that strips upgrades, unknown headers and cookies',
    start: through(() => filter),
    ...ON_STREAM,
  }),
  situation({
    name: 'a proxy that speaks HTTP/1.0: no lengths, no chunks',
    start: through(() => downgrader),
    ...ON_STREAM,
  }),
  situation({
    name: 'a proxy that closes the connection after each answer',
    start: through(() => closer),
    ...ON_STREAM,
  }),
  situation({
    name: 'a proxy that repeats POSTs on another connection when they have been answered',
    start: through(() => repeater(EVERY)),
    ...ON_STREAM,
    attachesMax: 12,
  }),
  situation({
    name: 'a proxy that sends some POSTs twice at the same time',
    start: through(() => doubler(EVERY)),
    ...ON_STREAM,
    attachesMax: 12,
  }),
  situation({
    name: 'a cache that answers some POSTs with an earlier answer',
    start: through(() => cache(EVERY)),
    attachesMax: 30,
  }),
  situation({
    name: 'a proxy that cuts answers after 2 s',
    start: through(() => cutter({ msMax: 2_000 })),
    traffic: LONG,
    attachesMax: 8,
  }),
  situation({
    name: 'a proxy that cuts answers after 8 kB',
    start: through(() => cutter({ bytesMax: 8_192 })),
    traffic: LONG,
    attachesMax: 12,
  }),
  situation({
    name: 'a proxy that ends answers after 4 kB as if they were whole',
    start: through(() => truncator(4_096)),
    traffic: LONG,
    attachesMax: 20,
  }),
  situation({
    name: 'a proxy that takes no POST of more than 16 kB (413), and a burst of 40 kB',
    start: through(() => bouncer(16_384)),
    settlesOn: 'stream',
    proves: ['poll', 'stream'],
    attachesMax: 8,
    meanwhile: async ({ publish, settles, delivered }) => {
      await settles('stream');
      for (let n = 0; n < BURST; n += 1) publish(BURST_LENGTH);
      await delivered();
    },
  }),
  situation({
    name: `a proxy that holds the beginning of each answer for ${HESITATION_MS} ms`,
    start: through(() => hesitator(HESITATION_MS)),
    ...ON_STREAM,
    // A POST waits for the answer to the one before.
    pathMs: { first: HESITATION_MS, slowest: 2 * HESITATION_MS },
  }),
];
