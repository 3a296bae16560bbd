/** PROTOCOL §7.2: an attach by poll that was overtaken may still be the one whose welcome comes first. */
import { describe, expect, it } from 'vitest';
import { Pair } from '../../src/testing/index.ts';
import { notedEffects } from './noted-effects.ts';

describe('an attach that was overtaken', () => {
  it('is adopted where its welcome comes first, and the later one after it', () => {
    const pair = new Pair({ authMs: 500, greets: true });
    const { attaches } = notedEffects(pair);
    pair.start();
    expect(pair.runUntil(() => pair.client.session.sid !== null, 600)).toBe(true);
    expect(attaches()).toHaveLength(2);
    expect([pair.client.session.transport, pair.client.session.gen]).toEqual(['poll', 2]);
    expect(pair.runUntil(() => pair.client.session.transport === 'websocket', 1_000)).toBe(true);
    pair.time.run(30_000);
    expect(pair.server.registry.size).toBe(1);
    expect([pair.losses, pair.ended]).toEqual([0, []]);
    expect(attaches()).toHaveLength(2);
  });

  it('loses nothing that is sent while the later one is under way', () => {
    for (const authMs of [60, 300, 500, 900]) {
      const pair = new Pair({ authMs }).start();
      let id = 0;
      while (pair.time.now < 4_000) {
        if (pair.sendUp(id + 1)) {
          id += 1;
          pair.sendDown(id);
        }
        pair.time.run(23);
      }
      pair.time.run(1_000);
      const all = Array.from({ length: id }, (_, i) => i + 1);
      expect(
        pair.up.map((frame) => frame[1]),
        `${authMs} ms`,
      ).toEqual(all);
      expect(
        pair.down.map((frame) => frame[1]),
        `${authMs} ms`,
      ).toEqual(all);
      expect(pair.client.session.transport).toBe('websocket');
    }
  });

  it('is not waited for where its request was lost: the one after it is not held up', () => {
    const pair = new Pair({ transports: ['poll'] }).start();
    pair.time.run(20_000);
    pair.network.warm(pair.client);
    pair.network.warm(pair.client);
    pair.network.vanish();
    const { attaches } = notedEffects(pair);
    pair.sendUp(1);
    expect(pair.runUntil(() => pair.up.length === 1, 3_500)).toBe(true);
    expect(attaches()).toHaveLength(2);
    pair.time.run(60_000);
    expect(pair.client.session.carrierCount).toBe(1);
  });

  it('does not keep a slow server from ever letting anybody in', () => {
    for (const post of ['open', 'swallowed'] as const) {
      const pair = new Pair({ authMs: 6_000, greets: true });
      pair.network.weather.post = post;
      pair.start();
      expect(
        pair.runUntil(() => pair.down.length > 0, 6_200),
        post,
      ).toBe(true);
      expect(pair.client.session.counts.attaches, post).toBeLessThanOrEqual(8);
      pair.time.run(60_000);
      expect(pair.client.session.transport, post).toBe('websocket');
    }
  });

  it('is waited for by a client that comes back to a slow server, without attaching over and over', () => {
    let authMs = 3_000;
    const pair = new Pair({ transports: ['poll'], authMs: () => authMs }).start();
    pair.time.run(20_000);
    for (authMs of [4_000, 2_000, 3_500]) {
      const before = pair.client.session.counts.attaches;
      pair.network.vanish();
      pair.sendUp(pair.up.length + 1);
      const { length } = pair.up;
      expect(pair.runUntil(() => pair.up.length > length, 8_000)).toBe(true);
      pair.time.run(30_000);
      expect(pair.client.session.counts.attaches - before).toBeLessThanOrEqual(4);
    }
  });

  it('is confirmed by the one that comes after it: no poll has told the server that its welcome was read', () => {
    // The WebSocket's is accepted while the poll's welcome is on its way down.
    const takes = [500, 465];
    const pair = new Pair({ authMs: () => takes.shift() ?? 0 }).start();
    expect(pair.runUntil(() => pair.client.session.transport === 'websocket', 2_000)).toBe(true);
    pair.time.run(20_000);
    expect([pair.ended, pair.client.session.counts.attaches]).toEqual([[], 2]);
  });

  it('is given up with the session that it was to open', () => {
    const pair = new Pair({ authMs: 500 }).start();
    pair.time.run(200);
    pair.client.input((session, now) => session.close(now));
    pair.time.run(20_000);
    expect(pair.client.session.carrierCount).toBe(0);
    expect(pair.server.registry.size).toBe(0);
  });
});
