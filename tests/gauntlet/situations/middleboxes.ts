/** Networks that do one thing to connections, from the beginning. */
import { AnswerBuffer } from '../../support/answer-buffer.ts';
import { type Interference, Middlebox, NOTHING, type Passage } from '../intermediaries/middlebox.ts';
import { type Situation, situation, TRAFFIC } from '../situation.ts';

const HEAD_END = '\r\n\r\n';
const REFUSAL = '<!doctype html>\n<title>No</title>\n';

export const through =
  (interference: Interference | (() => Interference)) =>
  ({ port }: { readonly port: number }): Promise<Middlebox> =>
    Middlebox.start(port, typeof interference === 'function' ? interference() : interference);

/** Lasts, so that what happens after seconds happens. */
export const LONG = { ...TRAFFIC, talkMs: 2_500, quietMs: 1_000 };
/** 100 kB a second each way. */
const MUCH = { ...LONG, everyMs: 20, length: 2_000 };
/** Quiet for longer than any connection is remembered. */
const PAUSED = { ...TRAFFIC, quietMs: 2_500 };
/** UTF-16 units that take about 10 kB as JSON. */
const LARGE = 5_000;

const ON_STREAM = { settlesOn: 'stream', proves: ['poll', 'stream'] } as const;
const ON_WEBSOCKET = { settlesOn: 'websocket', proves: ['poll', 'websocket'] } as const;

const goSilent = (passage: Passage): void => {
  passage.silent = true;
};

const swallowUpgrades: Interference = { up: (bytes, { isWebSocket }) => (isWebSocket ? NOTHING : bytes) };
export const swallowPosts: Interference = {
  up: (bytes, passage) => {
    if (bytes.indexOf('POST ') === 0) goSilent(passage);
    return bytes;
  },
};

const refuseUpgrades = (status: string): Interference => ({
  up: (bytes, passage) => {
    const head = `content-type: text/html\r\ncontent-length: ${REFUSAL.length}\r\nconnection: close`;
    if (passage.isWebSocket) passage.answer(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${REFUSAL}`);
    return bytes;
  },
});

/** Does something to each connection when it has been there for 2 s. */
const after2s = (run: (passage: Passage) => void): Interference => ({
  opened: (passage) => void passage.after(2_000, () => run(passage)),
});

const beforeWebSockets = (run: (passage: Passage) => void): Interference => ({
  up: (bytes, passage) => {
    if (passage.isWebSocket && bytes.indexOf('GET ') === 0) run(passage);
    return bytes;
  },
});

export const MIDDLEBOXES: readonly Situation[] = [
  situation({
    name: 'a box that swallows every request for an upgrade',
    start: through(swallowUpgrades),
    ...ON_STREAM,
  }),
  situation({
    name: 'a box that asks every request for an upgrade for a password (407)',
    start: through(refuseUpgrades('407 Proxy Authentication Required')),
    ...ON_STREAM,
  }),
  situation({
    name: 'a box that forbids every request for an upgrade (403)',
    start: through(refuseUpgrades('403 Forbidden')),
    ...ON_STREAM,
  }),
  situation({
    name: 'a box that answers every request for an upgrade with a page (200)',
    start: through(refuseUpgrades('200 OK')),
    ...ON_STREAM,
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
    ...ON_STREAM,
  }),
  situation({
    name: 'a box that resets a WebSocket when a large frame comes',
    start: through({
      up: (bytes, passage) => {
        if (passage.isWebSocket && bytes.length > LARGE) passage.cut();
        return bytes;
      },
    }),
    attachesMax: 12,
    meanwhile: async ({ publish, arrived, settles }) => {
      await settles('websocket');
      publish(LARGE);
      await arrived();
      publish(LARGE);
    },
  }),
  situation({
    name: 'WebSockets that fall silent after 2 s',
    start: through(beforeWebSockets((passage) => void passage.after(2_000, () => goSilent(passage)))),
    traffic: LONG,
    strain: 'silence',
    attachesMax: 8,
  }),
  situation({
    name: 'WebSockets that fall silent after 2 s, while 100 kB a second go each way',
    start: through(beforeWebSockets((passage) => void passage.after(2_000, () => goSilent(passage)))),
    traffic: MUCH,
    strain: 'silence',
    slowestMsMax: 4_000,
    attachesMax: 8,
  }),
  situation({
    name: 'WebSockets that carry nothing up any more after 2 s',
    start: through(mute('up')),
    traffic: LONG,
    strain: 'silence',
    slowestMsMax: 4_000,
    attachesMax: 8,
  }),
  situation({
    name: 'WebSockets that carry nothing down any more after 2 s',
    start: through(mute('down')),
    traffic: LONG,
    strain: 'silence',
    attachesMax: 8,
  }),
  situation({
    name: 'connections that fall silent after 2 s, of whatever kind',
    start: through(after2s(goSilent)),
    traffic: LONG,
    strain: 'death',
    attachesMax: 10,
  }),
  situation({
    name: 'connections that fall silent after 16 kB',
    start: through({
      up: (bytes, passage) => {
        if (passage.bytes > 16_384) goSilent(passage);
        return bytes;
      },
    }),
    traffic: { ...LONG, length: 200 },
    strain: 'death',
    attachesMax: 12,
  }),
  situation({
    name: 'connections that are forgotten after 1.5 s of quiet',
    start: through(forgetful),
    traffic: PAUSED,
    strain: 'death',
    attachesMax: 8,
  }),
  situation({
    name: 'connections that are reset after 2 s',
    start: through(after2s((passage) => passage.cut())),
    traffic: LONG,
    attachesMax: 12,
  }),
  situation({
    name: 'connections that the client sees closed after 2 s, and the server does not',
    start: through(after2s((passage) => passage.halfClose('client'))),
    traffic: LONG,
    attachesMax: 12,
  }),
  situation({
    name: 'connections that the server sees closed after 2 s, and the client does not',
    start: through(after2s((passage) => passage.halfClose('server'))),
    traffic: LONG,
    strain: 'death',
    attachesMax: 10,
  }),
  situation({
    name: 'connections for requests that are reset 20 ms after an answer',
    start: through(() => {
      const calledOff = new Map<Passage, () => void>();
      return {
        up: (bytes, passage) => {
          calledOff.get(passage)?.();
          return bytes;
        },
        down: (bytes, passage) => {
          calledOff.get(passage)?.();
          if (passage.isWebSocket === false)
            calledOff.set(
              passage,
              passage.after(20, () => passage.cut()),
            );
          return bytes;
        },
      };
    }),
    ...ON_WEBSOCKET,
    attachesMax: 4,
  }),
  situation({
    name: 'a network that allows a client two connections',
    start: through(() => {
      const open = new Set<Passage>();
      return {
        opened: (passage) => {
          open.add(passage);
          passage.closed = () => void open.delete(passage);
          if (open.size > 2) passage.cut();
        },
      };
    }),
    ...ON_WEBSOCKET,
    attachesMax: 4,
  }),
  situation({
    name: 'a scanner that knows no upgrade, holds answers until they are whole, and gives up after 2 s',
    start: through(scanner),
    traffic: LONG,
    settlesOn: 'poll',
    proves: ['poll'],
  }),
  situation({
    name: 'a box that swallows every POST',
    start: through(swallowPosts),
    settlesOn: 'websocket',
    proves: ['websocket'],
    roundTripsMax: 4,
    attachesMax: 3,
  }),
  situation({
    name: 'a box that shouts: HEADERS IN CAPITALS',
    start: through(recase((name) => name.toUpperCase())),
    ...ON_WEBSOCKET,
  }),
  situation({
    name: 'a box that whispers: headers in small letters',
    start: through(recase((name) => name.toLowerCase())),
    ...ON_WEBSOCKET,
  }),
];

function mute(direction: 'up' | 'down'): Interference {
  const mutes = new WeakSet<Passage>();
  const { up = (bytes) => bytes } = beforeWebSockets((passage) => void passage.after(2_000, () => mutes.add(passage)));
  return {
    up: (bytes, passage) => (direction === 'up' && mutes.has(passage) ? NOTHING : up(bytes, passage)),
    down: (bytes, passage) => (direction === 'down' && mutes.has(passage) ? NOTHING : bytes),
  };
}

/** As translators of addresses do with what they need the place of. */
function forgetful(): Interference {
  const calledOff = new WeakMap<Passage, () => void>();
  const used = (bytes: Buffer, passage: Passage): Buffer => {
    calledOff.get(passage)?.();
    calledOff.set(
      passage,
      passage.after(1_500, () => goSilent(passage)),
    );
    return bytes;
  };
  return { up: used, down: used };
}

/** Writes the names of headers as it likes. */
function recase(recased: (name: string) => string): Interference {
  const rename = (bytes: Buffer): Buffer => {
    const text = bytes.toString('latin1');
    const headEnd = text.indexOf(HEAD_END);
    if (headEnd < 0 || !/^(?:GET|POST|OPTIONS|HTTP\/1\.1) /.test(text)) return bytes;
    const head = text.slice(0, headEnd).replace(/\r\n[^:\r]+:/g, recased);
    return Buffer.from(head + text.slice(headEnd), 'latin1');
  };
  return { up: rename, down: rename };
}

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
