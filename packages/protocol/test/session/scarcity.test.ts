/** PROTOCOL §7.9: what a page does that may not hold an HTTP connection open. */
import { describe, expect, it } from 'vitest';
import { Pair, type PairOptions } from '../../src/testing/index.ts';
import type { Transport } from '../../src/wire/frames.ts';
import { notedEffects } from './noted-effects.ts';

const ROUND_TRIP_MS = 50;

function carriedBy(transport: Transport, options: PairOptions = {}): Pair {
  const pair = new Pair({ delayMs: ROUND_TRIP_MS / 2, authMs: 0, ...options });
  if (transport !== 'websocket') pair.network.weather.websocket = 'refused';
  if (transport === 'poll') pair.network.weather.stream = 'buffered';
  pair.start();
  expect(pair.runUntil(() => pair.client.session.transport === transport, 20_000)).toBe(true);
  pair.time.run(10_000);
  return pair;
}

const tell = (pair: Pair, scarce: boolean): void =>
  pair.client.input((session, now) => session.handleScarcity(scarce, now));

function timed(pair: Pair, done: () => boolean): number {
  const from = pair.time.now;
  expect(pair.runUntil(done)).toBe(true);
  return pair.time.now - from;
}

/** The part of `ms` in which a connection is taken. */
function taken(pair: Pair, ms: number): number {
  const until = pair.time.now + ms;
  let busy = 0;
  for (let from = pair.time.now; pair.time.now < until; from = pair.time.now) {
    const isBusy = pair.network.connections.size > 0;
    pair.time.step(until);
    if (isBusy) busy += pair.time.now - from;
  }
  return busy / ms;
}

describe('while connections are scarce', () => {
  it('a stream gives way to polls at once, and is back when they are not, and nothing is lost', () => {
    const pair = carriedBy('stream');
    let id = 0;
    const talk = (ms: number): void => {
      for (const until = pair.time.now + ms; pair.time.now < until; pair.time.run(90)) {
        id += 1;
        pair.sendUp(id);
        pair.sendDown(id);
      }
    };
    talk(500);
    tell(pair, true);
    expect(timed(pair, () => pair.client.session.transport === 'poll')).toBeLessThanOrEqual(3 * ROUND_TRIP_MS);
    talk(20_000);
    expect(pair.client.session.transport).toBe('poll');
    tell(pair, false);
    expect(timed(pair, () => pair.client.session.transport === 'stream')).toBeLessThanOrEqual(10 * ROUND_TRIP_MS);
    pair.time.run(1_000);
    const all = Array.from({ length: id }, (_, i) => i + 1);
    expect(pair.up.map((frame) => frame[1])).toEqual(all);
    expect(pair.down.map((frame) => frame[1])).toEqual(all);
    expect(pair.losses).toBe(0);
  });

  it('no stream is sought', () => {
    const pair = new Pair({ authMs: 0 });
    pair.network.weather.websocket = 'refused';
    tell(pair, true);
    const { sent } = notedEffects(pair);
    pair.start();
    pair.time.run(60_000);
    expect(pair.client.session.transport).toBe('poll');
    expect(sent().filter((line) => line.startsWith('[6,'))).toEqual([]);
  });

  it('no poll is held for more than 250 ms, the one under way included', () => {
    const pair = carriedBy('poll');
    tell(pair, true);
    pair.time.run(1);
    const from = pair.time.now;
    const { sent } = notedEffects(pair);
    pair.time.run(20_000);
    const polls = sent().filter((line) => line.startsWith('[10,'));
    expect(polls.length).toBeGreaterThan(5);
    for (const line of polls) expect((JSON.parse(line) as [10, { hold: number }])[1].hold).toBeLessThanOrEqual(250);
    expect(pair.time.now - from).toBeGreaterThanOrEqual(20_000);
  });

  it('a connection is taken for a fifth of the time at most when nothing happens', () => {
    for (const delayMs of [5, 25, 100]) {
      const pair = carriedBy('poll', { delayMs });
      tell(pair, true);
      pair.time.run(6_000);
      expect(taken(pair, 120_000), `${delayMs} ms`).toBeLessThanOrEqual(0.2);
    }
  });

  it('what goes up and its answer are not later', () => {
    const pair = carriedBy('poll');
    tell(pair, true);
    for (const handlerMs of [0, 100, 400, 1_000, 3_000]) {
      // Anywhere in a pause.
      pair.time.run(20_000 + handlerMs / 3);
      const id = pair.up.length + 1;
      pair.sendUp(id);
      expect(timed(pair, () => pair.up.length === id)).toBeLessThanOrEqual(2 * ROUND_TRIP_MS);
      pair.time.run(handlerMs);
      pair.sendDown(id);
      // A poll that has just been answered empty is followed by another.
      const late = timed(pair, () => pair.down.length === id);
      expect(late, `${handlerMs} ms`).toBeLessThanOrEqual(2 * ROUND_TRIP_MS);
    }
  });

  it('what comes by itself waits for a pause at most, and more of it for none', () => {
    const pair = carriedBy('poll');
    tell(pair, true);
    pair.time.run(20_000);
    for (let i = 0; i < 10; i += 1) {
      pair.time.run(7_000 + i * 137);
      const { length } = pair.down;
      pair.sendDown(1);
      expect(timed(pair, () => pair.down.length > length)).toBeLessThanOrEqual(1_500);
      pair.sendDown(2);
      expect(timed(pair, () => pair.down.length > length + 1)).toBeLessThanOrEqual(2 * ROUND_TRIP_MS);
    }
  });

  it('a client is not taken for one that is gone between two polls', () => {
    for (const delayMs of [25, 200]) {
      const pair = carriedBy('poll', { delayMs });
      const { attaches } = pair.client.session.counts;
      tell(pair, true);
      pair.time.run(60_000);
      expect(pair.serverSession?.slow, `${delayMs} ms`).toBe(false);
      expect(pair.client.session.counts.attaches).toBe(attaches);
    }
  });

  it('WebSocket is sought and kept as ever', () => {
    const pair = new Pair();
    tell(pair, true);
    pair.start();
    expect(pair.runUntil(() => pair.client.session.transport === 'websocket', 1_000)).toBe(true);
    tell(pair, false);
    pair.time.run(1_000);
    tell(pair, true);
    pair.time.run(60_000);
    expect(pair.client.session.transport).toBe('websocket');
    expect(pair.client.session.counts.attaches).toBe(2);
  });

  it('a stream stays where polls are not allowed', () => {
    const pair = new Pair({ transports: ['stream'] });
    tell(pair, true);
    pair.start();
    pair.time.run(10_000);
    expect(pair.client.session.transport).toBe('stream');
  });
});
