/** How late what is sent may be, in virtual time, for each way in which a network fails. Times are from `start`, or from what went wrong, ms. */
import { describe, expect, it } from 'vitest';
import { Pair, type PairOptions, type Weather } from '../../src/testing/index.ts';
import type { Transport } from '../../src/wire/frames.ts';
import { notedEffects } from './noted-effects.ts';

const SEEDS = [1, 2, 3];

/** What keeps everything better than the transport from working. */
const WEATHER_FOR: Record<Transport, Partial<Weather>> = {
  websocket: {},
  stream: { websocket: 'refused' },
  poll: { websocket: 'refused', stream: 'buffered' },
};

interface Situation extends PairOptions {
  readonly weather?: Partial<Weather>;
}

function pairWith({ weather = {}, ...options }: Situation): Pair {
  const pair = new Pair({ authMs: 0, greets: true, ...options });
  Object.assign(pair.network.weather, weather);
  return pair;
}

/** How long `done` takes, ms; Infinity: it does not come to that. */
function timed(pair: Pair, done: () => boolean): number {
  const from = pair.time.now;
  return pair.runUntil(done) ? pair.time.now - from : Number.POSITIVE_INFINITY;
}

function firstMessage(pair: Pair): number {
  pair.start();
  return timed(pair, () => pair.down.length > 0);
}

/** A pair that `transport` has carried for a while, with no POST in flight. */
function carriedBy(transport: Transport, options: PairOptions): Pair {
  const pair = pairWith({ ...options, weather: WEATHER_FOR[transport] }).start();
  expect(pair.runUntil(() => pair.client.session.transport === transport, 20_000)).toBe(true);
  pair.time.run(15_000);
  expect(pair.client.session.transport).toBe(transport);
  return pair;
}

/** Sends a frame each way; says how long it takes until both have come. */
function bothWays(pair: Pair): number {
  const [up, down] = [pair.up.length, pair.down.length];
  pair.sendUp(1_000);
  pair.sendDown(1_000);
  return timed(pair, () => pair.up.length > up && pair.down.length > down);
}

const worst = (measure: (seed: number) => number): number => Math.max(...SEEDS.map(measure));

describe.each([20, 100, 300])('where a round trip takes %i ms', { timeout: 60_000 }, (roundTripMs) => {
  const options = { delayMs: roundTripMs / 2 };
  /** A round trip that is long counts: fresh connections take several, and so does patience. */
  const extra = roundTripMs > 100 ? 8 * roundTripMs : 0;

  describe('the first message', () => {
    const passes: [string, Partial<Weather>][] = [
      ['everything passes', {}],
      ['WebSockets are refused', { websocket: 'refused' }],
      ['WebSockets hang', { websocket: 'hangs' }],
      ['WebSockets open and carry nothing', { websocket: 'dead' }],
      ['WebSockets open and carry nothing down', { websocket: 'deaf' }],
      ['only finished answers pass', { websocket: 'refused', stream: 'buffered' }],
    ];
    it.each(passes)('takes two round trips on a cold connection and one on a warm one where %s', (_, weather) => {
      expect(firstMessage(pairWith({ ...options, weather }))).toBeLessThanOrEqual(2 * roundTripMs + 50);
      const warm = pairWith({ ...options, weather });
      warm.network.warm(warm.client);
      expect(firstMessage(warm)).toBeLessThanOrEqual(roundTripMs + 50);
    });

    it.each(passes)('is not later for a server that takes its time to authenticate where %s', (_, weather) => {
      for (const authMs of [300, 1_000, 4_000]) {
        const pair = pairWith({ ...options, weather, authMs });
        expect(firstMessage(pair), `${authMs} ms`).toBeLessThanOrEqual(2 * roundTripMs + authMs + 50);
        expect(pair.client.session.counts.attaches, `${authMs} ms`).toBeLessThanOrEqual(5);
      }
    });

    it('takes four round trips where POSTs are swallowed, and the time to authenticate', () => {
      for (const authMs of [0, 300, 1_000, 4_000]) {
        const pair = pairWith({ ...options, weather: { post: 'swallowed' }, authMs });
        expect(firstMessage(pair), `${authMs} ms`).toBeLessThanOrEqual(4 * roundTripMs + authMs);
      }
    });
  });

  it('WebSocket is in use after four round trips', () => {
    for (const authMs of [0, 300]) {
      const pair = pairWith({ ...options, authMs }).start();
      const ms = timed(pair, () => pair.client.session.transport === 'websocket');
      expect(ms).toBeLessThanOrEqual(4 * roundTripMs + 2 * authMs);
    }
  });

  describe.each(['websocket', 'stream', 'poll'] as const)('what %s carries', (transport) => {
    it('is half a second late at most, or three round trips, where every connection is cut', () => {
      const late = worst((seed) => {
        const pair = carriedBy(transport, { ...options, seed });
        pair.sendUp(1);
        pair.sendDown(1);
        pair.network.cutAll();
        return bothWays(pair);
      });
      expect(late).toBeLessThanOrEqual(Math.max(500, 3 * roundTripMs));
    });

    it.each(['both', 'up', 'down'] as const)('is not late where its connection falls silent, %s', (direction) => {
      const pair = carriedBy(transport, options);
      for (const { up, down } of pair.network.connections) {
        if (direction !== 'down') up.mute();
        if (direction !== 'up') down.mute();
      }
      expect(bothWays(pair)).toBeLessThanOrEqual(2_000 + extra);
    });

    it.each([0, 1, 2, 3])('is not late where the network has changed and %i idle connections are dead too', (idle) => {
      for (const told of [false, true]) {
        const pair = carriedBy(transport, options);
        for (let i = 0; i < idle; i += 1) pair.network.warm(pair.client);
        pair.network.vanish();
        if (told) pair.client.input((session, now) => session.wake(now));
        const limit = told ? 1_200 + 500 * idle : 4_000;
        expect(bothWays(pair), told ? 'told' : 'not told').toBeLessThanOrEqual(limit + extra);
      }
    });

    it.each(['refused', 'hangs', 'portal'] as const)('comes soon after an outage in which everything is %s', (http) => {
      for (const [seconds, limit] of [
        [3, 1_500],
        [12, 1_500],
        [20, 1_500],
        [80, 4_500],
      ] as const) {
        for (const told of [false, true]) {
          let attaches = 0;
          const late = worst((seed) => {
            const pair = carriedBy(transport, { ...options, seed });
            const before = pair.client.session.counts.attaches;
            pair.network.weather.http = http;
            if (http === 'refused') pair.network.cutAll();
            else pair.network.vanish();
            pair.sendUp(1);
            pair.time.run(seconds * (1_000 + seed * 17));
            attaches = Math.max(attaches, pair.client.session.counts.attaches - before);
            pair.network.weather.http = 'open';
            if (told) pair.client.input((session, now) => session.wake(now));
            return timed(pair, () => pair.up.length > 0);
          });
          const name = `${seconds} s, ${told ? 'told' : 'not told'}`;
          expect(late, name).toBeLessThanOrEqual((told ? 1_500 : limit) + extra);
          expect(attaches, name).toBeLessThanOrEqual(5 + 1.5 * seconds);
        }
      }
    });
  });

  it.each([
    ['websocket', 12_500],
    ['stream', 15_000],
    ['poll', 27_000],
  ] as const)('a client that %s carries and that only listens finds out by itself', (transport, limit) => {
    const pair = carriedBy(transport, options);
    pair.network.vanish();
    pair.sendDown(1);
    const { length } = pair.down;
    expect(timed(pair, () => pair.down.length > length)).toBeLessThanOrEqual(limit + extra);
  });
});

/** Sends a frame of `size` up every `everyMs`; says by how much the latest of them has come late, ms. */
function latestOf(pair: Pair, size: number, everyMs: number, strike: () => void): number {
  const data = JSON.stringify('x'.repeat(size));
  const from = pair.time.now;
  const sentAt: number[] = [];
  const before = pair.up.length;
  const count = 6_000 / everyMs;
  for (let n = 0; n < count; n += 1)
    pair.time.after(n * everyMs, () => {
      if (pair.sendUp(n + 1, data)) sentAt.push(pair.time.now);
    });
  pair.time.after(3_003, strike);
  let late = 0;
  let seen = 0;
  const done = pair.runUntil(() => {
    for (; seen < pair.up.length - before; seen += 1) late = Math.max(late, pair.time.now - (sentAt[seen] ?? from));
    return seen === count;
  });
  expect(done).toBe(true);
  expect(pair.up.slice(before).map(([, id]) => id)).toEqual(sentAt.map((_, n) => n + 1));
  return late;
}

describe.each([
  [100, 20],
  [1_000, 50],
  [5_000, 20],
  [15_000, 10],
])('while %i bytes go up every %i ms', { timeout: 60_000 }, (size, everyMs) => {
  const limits = { outboxBytes: 16_000_000 };

  it('a WebSocket that falls silent is found out as soon as if little went up it', () => {
    for (const delayMs of [10, 50]) {
      const pair = carriedBy('websocket', { delayMs, limits });
      const late = latestOf(pair, size, everyMs, () => {
        for (const { up, down } of pair.network.connections) {
          up.mute();
          down.mute();
        }
      });
      expect(late, `${delayMs} ms each way`).toBeLessThanOrEqual(2_000);
    }
  });

  it.each(['websocket', 'stream', 'poll'] as const)(
    'nothing %s carries is late after the network has changed',
    (by) => {
      for (const delayMs of [10, 50]) {
        const pair = carriedBy(by, { delayMs, limits });
        const late = latestOf(pair, size, everyMs, () => pair.network.vanish());
        expect(late, `${delayMs} ms each way`).toBeLessThanOrEqual(4_000);
      }
    },
  );
});

it('what does not pass one connection goes up several, where each falls silent after 16 kB', () => {
  const pair = pairWith({ weather: { connectionSize: 16_384 } }).start();
  expect(pair.runUntil(() => pair.client.session.transport === 'websocket')).toBe(true);
  const { now } = pair.time;
  const { attaches } = notedEffects(pair);
  const data = JSON.stringify('x'.repeat(200));
  for (let id = 1; id <= 400; id += 1) pair.sendUp(id, data);
  expect(pair.runUntil(() => pair.up.length === 400)).toBe(true);
  expect(pair.up.map(([, id]) => id)).toEqual(Array.from({ length: 400 }, (_, n) => n + 1));
  // Six connections would do if it were known what they bear.
  expect(pair.time.now - now).toBeLessThanOrEqual(20_000);
  expect(attaches().length).toBeLessThanOrEqual(24);
});

describe('a path that changes', { timeout: 60_000 }, () => {
  it('is left when nothing goes up a WebSocket any more, although messages still come down', () => {
    const pair = carriedBy('websocket', {});
    for (const { up } of pair.network.connections) up.mute();
    const { now } = pair.time;
    for (let n = 0; n < 100; n += 1) pair.time.after(n * 50, () => pair.sendDown(n));
    pair.sendUp(1);
    expect(pair.runUntil(() => pair.up.length > 0, 5_000)).toBe(true);
    expect(pair.time.now - now).toBeLessThanOrEqual(2_000);
  });

  it('is no failure of a young WebSocket when the server closes: another is in use as soon as it is back', () => {
    const pair = pairWith({}).start();
    expect(pair.runUntil(() => pair.client.session.transport === 'websocket')).toBe(true);
    pair.server.turn(() => pair.serverSession?.end('server_closing', 'it is started anew', pair.time.now, 0));
    expect(pair.runUntil(() => pair.client.session.transport === null)).toBe(true);
    expect(timed(pair, () => pair.client.session.transport === 'websocket')).toBeLessThanOrEqual(1_400);
  });

  it('is left when WebSocket is blocked, and WebSocket is back with the first probe after the block', () => {
    const pair = carriedBy('websocket', {});
    for (const connection of pair.network.connections) if (connection.kind === 'websocket') connection.cut();
    pair.network.weather.websocket = 'dead';
    const { opens } = notedEffects(pair);
    expect(bothWays(pair)).toBeLessThanOrEqual(500);
    pair.time.run(40_000);
    expect(pair.client.session.transport).toBe('stream');
    const before = opens().length;
    pair.network.weather.websocket = 'open';
    expect(pair.runUntil(() => opens().length > before, 300_000)).toBe(true);
    expect(timed(pair, () => pair.client.session.transport === 'websocket')).toBeLessThanOrEqual(4 * 20);
  });

  it('is found out with one attach when the machine wakes up after ten minutes', () => {
    for (const transport of ['websocket', 'stream', 'poll'] as const) {
      const pair = carriedBy(transport, {});
      const was = pair.client.session.sid;
      pair.client.freeze();
      pair.network.vanish();
      pair.time.run(600_000);
      const { attaches } = notedEffects(pair);
      pair.client.thaw();
      const lost = timed(pair, () => pair.losses === 1 && pair.client.session.ready);
      expect(lost, transport).toBeLessThanOrEqual(1_500);
      expect(pair.client.session.sid).not.toBe(was);
      pair.time.run(60_000);
      expect(attaches().length, transport).toBeLessThanOrEqual(4);
    }
  });

  it('keeps a page out of a captive portal without a time-out, and bears with it', () => {
    const pair = pairWith({ weather: { http: 'portal' } }).start();
    pair.time.run(200);
    expect(pair.attempts.map(({ outcome, reason }) => `${outcome} ${reason.split(':')[0]}`)).toContain(
      'failed unreadable',
    );
    pair.time.run(60_000);
    expect(pair.client.session.counts.attaches).toBeLessThanOrEqual(80);
    pair.network.weather.http = 'open';
    pair.client.input((session, now) => session.wake(now));
    expect(timed(pair, () => pair.down.length > 0)).toBeLessThanOrEqual(1_500);
  });
});

it('a cold connection over 350 ms each way is waited for: WebSocket is in use after two attaches', () => {
  const pair = pairWith({ delayMs: 350 }).start();
  expect(pair.runUntil(() => pair.client.session.transport === 'websocket')).toBe(true);
  expect(pair.client.session.counts.attaches).toBe(2);
});

describe('a settled client', () => {
  it('costs a ping of the server in ten seconds at most, or a poll in twenty', () => {
    for (const transport of ['websocket', 'stream'] as const) {
      const pair = carriedBy(transport, {});
      const { sent } = notedEffects(pair);
      pair.time.run(100_000);
      expect(sent().length, transport).toBeLessThanOrEqual(transport === 'websocket' ? 10 : 12);
    }
    const pair = carriedBy('poll', {});
    pair.network.weather.stream = 'open';
    pair.client.input((session, now) => session.use('poll', now));
    pair.time.run(30_000);
    const { sent } = notedEffects(pair);
    pair.time.run(100_000);
    expect(sent().length).toBeLessThanOrEqual(5);
  });
});
