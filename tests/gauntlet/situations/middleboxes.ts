/** Networks that do one thing to what they carry, from the beginning. */
import { AnswerBuffer } from '../../support/answer-buffer.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { SingleBytes, ThinLine } from '../intermediaries/carriage.ts';
import { startFilter } from '../intermediaries/filter.ts';
import { type Interference, Middlebox, NOTHING, type Passage } from '../intermediaries/middlebox.ts';
import { LATE_MS_MAX, type Situation, situation, TRAFFIC } from '../situation.ts';

const HEAD_END = '\r\n\r\n';

const through =
  (interference: Interference | (() => Interference)) =>
  ({ port }: { readonly port: number }): Promise<Middlebox> =>
    Middlebox.start(port, typeof interference === 'function' ? interference() : interference);

/** Lasts, so that what happens after seconds happens. */
const LONG = { ...TRAFFIC, talkMs: 2_500, quietMs: 1_000 };

const ONE_WAY_MS = 300;
const RESET_MS = 2_000;
/** UTF-16 units that take about 100 kB as JSON. */
const LARGE = 50_000;

const swallowUpgrades: Interference = { up: (bytes, { isWebSocket }) => (isWebSocket ? NOTHING : bytes) };
const swallowPosts: Interference = { up: (bytes, { isWebSocket }) => (isWebSocket ? bytes : NOTHING) };

const goSilent = (passage: Passage): void => {
  passage.silent = true;
};

export const MIDDLEBOXES: readonly Situation[] = [
  situation({
    name: 'a box that swallows every request for an upgrade',
    start: through(swallowUpgrades),
    settlesOn: 'stream',
  }),
  situation({
    name: 'a box that lets the 101 through and then no frame',
    start: through({
      down: (bytes, passage) => {
        if (!passage.isWebSocket) return bytes;
        const head = bytes.subarray(0, bytes.indexOf(HEAD_END) + HEAD_END.length);
        // When the head has passed.
        passage.after(0, () => goSilent(passage));
        return head;
      },
    }),
    settlesOn: 'stream',
  }),
  situation({
    name: 'WebSockets that fall silent after 2 s',
    start: through({
      up: (bytes, passage) => {
        if (passage.isWebSocket && bytes.indexOf('GET ') === 0) passage.after(2_000, () => goSilent(passage));
        return bytes;
      },
    }),
    traffic: LONG,
  }),
  situation({
    name: 'connections that fall silent after 2 s, of whatever kind',
    start: through({ opened: (passage) => void passage.after(2_000, () => goSilent(passage)) }),
    traffic: LONG,
  }),
  situation({
    name: `connections that are reset after ${RESET_MS / 1_000} s`,
    start: through({ opened: (passage) => void passage.after(RESET_MS, () => passage.cut()) }),
    traffic: LONG,
  }),
  situation({
    name: 'a scanner that knows no upgrade, holds answers until they are whole, and gives up after 2 s',
    start: through(scanner),
    traffic: LONG,
    settlesOn: 'poll',
  }),
  situation({
    name: 'a box that swallows every POST',
    start: through(swallowPosts),
    // The WebSocket is proven at once, and takes over when the attach by POST has been unanswered for 1.2 s.
    lateMsMax: 1_200 + LATE_MS_MAX,
    settlesOn: 'websocket',
  }),
  situation({
    name: 'a proxy that strips upgrades, unknown headers and cookies',
    start: ({ port }) => startFilter(port),
    settlesOn: 'stream',
  }),
  situation({
    name: 'a network that brings single bytes',
    start: through({ carriage: () => new SingleBytes() }),
    traffic: { ...TRAFFIC, everyMs: 100, length: 30 },
    settlesOn: 'websocket',
  }),
  situation({
    name: `a path of ${ONE_WAY_MS} ms each way`,
    start: async ({ port }) => {
      const proxy = await TcpProxy.start(port);
      proxy.delayMs.up = proxy.delayMs.down = ONE_WAY_MS;
      return { port: proxy.port, stop: () => proxy.close() };
    },
    // Two round trips: one for the connection, one for the attach.
    lateMsMax: 4 * ONE_WAY_MS + LATE_MS_MAX,
    settlesOn: 'websocket',
  }),
  situation({
    name: 'a thin path with 100 kB under way, first up and then down',
    start: through(() => {
      const lines = { up: new ThinLine(256), down: new ThinLine(256) };
      return { carriage: (direction) => lines[direction] };
    }),
    settlesOn: 'websocket',
    meanwhile: async ({ client, server, publish, settles, arrived, delivered, quietly }) => {
      await settles('websocket');
      await arrived();
      const before = client.diagnose().counts.attaches;
      // Nothing comes down that would be a sign of life.
      await quietly(async () => {
        await delivered();
        publish(LARGE);
        await delivered();
      });
      // What comes down holds up the answers to everything else.
      await server.broadcast(LARGE);
      await arrived();
      const { counts, attempts } = client.diagnose();
      if (counts.attaches > before) throw new Error(`A false alarm: ${JSON.stringify(attempts)}`);
    },
  }),
];

/** What it holds of an answer that is not whole after 2 s is lost with the connection. */
function scanner(): Interference {
  const buffers = new Map<Passage, { readonly buffer: AnswerBuffer; callOff: () => void }>();
  return {
    opened: (passage) => buffers.set(passage, { buffer: new AnswerBuffer(), callOff: () => {} }),
    up: (bytes, passage) => {
      const state = buffers.get(passage);
      if (state !== undefined && bytes.indexOf('POST ') === 0)
        state.callOff = passage.after(2_000, () => passage.cut());
      return Buffer.from(bytes.toString('latin1').replace(/^(?:Upgrade|Connection): .*\r\n/gim, ''), 'latin1');
    },
    down: (bytes, passage) => {
      const state = buffers.get(passage);
      const whole = state?.buffer.push(bytes) ?? [];
      if (whole.length > 0) state?.callOff();
      return Buffer.concat(whole);
    },
  };
}
