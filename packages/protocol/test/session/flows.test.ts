/** The flows of PROTOCOL §10, by their numbers. */
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../src/session/client/ports.ts';
import { Pair, type PairOptions } from '../../src/testing/index.ts';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
const ids = (frames: readonly (readonly unknown[])[]): unknown[] => frames.map((frame) => frame[1]);

/** A pair whose effects are noted as they are carried out. */
function noted(options: PairOptions = {}): { pair: Pair; effects: { at: number; effect: Effect }[] } {
  const pair = new Pair(options);
  const effects: { at: number; effect: Effect }[] = [];
  const { session } = pair.client;
  const take = session.takeEffects.bind(session);
  session.takeEffects = () => {
    const taken = take();
    for (const effect of taken) effects.push({ at: pair.time.now, effect });
    return taken;
  };
  return { pair: pair.start(), effects };
}

/** The attaches among the effects: generation, mode, and when. */
function attaches(effects: readonly { at: number; effect: Effect }[]): { gen: number; mode: string; at: number }[] {
  return effects.flatMap(({ at, effect }) => {
    const text = effect.type === 'send' ? effect.text : effect.type === 'request' ? effect.body : '';
    if (!text.startsWith('[0,')) return [];
    const [, { gen, mode }] = JSON.parse(text) as [number, { gen: number; mode: string }];
    return [{ gen, mode, at }];
  });
}

describe('PROTOCOL §10', () => {
  it('10.1: the session starts with a poll, and the WebSocket beside it takes over', () => {
    const { pair, effects } = noted();
    expect(effects.map(({ at, effect }) => [at, effect.type])).toEqual([
      [0, 'open'],
      [0, 'request'],
    ]);
    pair.runUntil(() => pair.client.session.transport === 'websocket');
    expect(attaches(effects)).toMatchObject([
      { gen: 1, mode: 'poll', at: 0 },
      { gen: 2, mode: 'websocket' },
    ]);
    pair.time.run(30_000);
    expect(attaches(effects)).toHaveLength(2);
    expect(pair.server.registry.size).toBe(1);
    expect(pair.serverSession?.gen).toBe(2);
  });

  it('10.2: where the poll is slow both attach, one session comes of it, and the last attach is adopted', () => {
    const { pair, effects } = noted();
    for (const connection of pair.network.connections) if (connection.kind === 'request') connection.down.stall();
    pair.runUntil(() => pair.client.session.transport === 'websocket', 5_000);
    expect(attaches(effects)).toMatchObject([
      { gen: 1, mode: 'poll' },
      { gen: 2, mode: 'websocket' },
    ]);
    expect(pair.server.registry.size).toBe(1);
    expect(pair.client.session.sid).toBe(pair.serverSession?.sid);
    expect(pair.losses).toBe(0);
  });

  it('10.3: frames that cross an attach are taken once, in order', () => {
    const { pair } = noted();
    pair.runUntil(() => pair.client.session.transport === 'poll');
    for (const id of upTo(40)) {
      pair.sendDown(id);
      pair.time.run(3);
    }
    expect(pair.runUntil(() => pair.down.length === 40, 5_000)).toBe(true);
    expect(pair.client.session.transport).toBe('websocket');
    expect(ids(pair.down)).toEqual(upTo(40));
  });

  it('10.4: goodbyes that cross end both sides quietly', () => {
    const { pair } = noted();
    pair.runUntil(() => pair.client.session.transport === 'websocket');
    pair.server.turn(() => pair.server.registry.shutdown(1_000, pair.time.now));
    pair.client.input((session, now) => session.close(now));
    pair.time.run(5_000);
    expect(pair.client.session.state).toMatchObject({ status: 'closed', code: 'closed' });
    expect(pair.server.registry.size).toBe(0);
    expect(pair.server.registry.linkCount).toBe(0);
    expect(pair.client.session.carrierCount).toBe(0);
  });

  it("10.5: what was in a poll's lost answer comes with the next", () => {
    const { pair } = noted({ transports: ['poll'] });
    pair.runUntil(() => pair.client.session.transport === 'poll');
    pair.time.run(100);
    for (const id of upTo(3)) pair.sendDown(id);
    for (const connection of pair.network.connections) connection.down.mute();
    pair.network.cutAll();
    expect(pair.runUntil(() => pair.down.length === 3, 10_000)).toBe(true);
    expect(ids(pair.down)).toEqual(upTo(3));
    expect(pair.losses).toBe(0);
  });

  it('10.6: a POST that the browser repeats is applied once', () => {
    const { pair, effects } = noted({ transports: ['poll'] });
    pair.runUntil(() => pair.client.session.transport === 'poll');
    for (const id of upTo(2)) pair.sendUp(id);
    expect(pair.runUntil(() => pair.up.length === 2, 1_000)).toBe(true);
    const answers: string[] = [];
    for (const { effect } of effects) {
      if (effect.type === 'request' && effect.body.startsWith('[11,')) {
        pair.server.request(effect.body, { lines: (lines) => answers.push(...lines), end: () => {} });
      }
    }
    pair.time.run(1_000);
    expect(ids(pair.up)).toEqual([1, 2]);
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.map((line) => (JSON.parse(line) as [number, { rx: number }])[1].rx)).toEqual(answers.map(() => 2));
  });

  it('10.6: a POST that leaves a frame out is refused', () => {
    const { pair, effects } = noted({ transports: ['poll'] });
    pair.runUntil(() => pair.client.session.transport === 'poll');
    pair.sendUp(1);
    pair.time.run(1_000);
    const post = effects.find(({ effect }) => effect.type === 'request' && effect.body.startsWith('[11,'))?.effect;
    if (post?.type !== 'request') throw new Error('nothing was posted');
    const [line = '', ...frames] = post.body.split('\n');
    const [, header] = JSON.parse(line) as [number, { base: number; n: number }];
    const answers: string[] = [];
    const gap = [JSON.stringify([11, { ...header, n: 9, base: 7 }]), ...frames].join('\n');
    pair.server.request(gap, { lines: (lines) => answers.push(...lines), end: () => {} });
    pair.time.run(1_000);
    expect(answers).toEqual(['[14,1]']);
    expect(ids(pair.up)).toEqual([1]);
  });

  it('10.7: after its session expired a client has a new one with one attach', () => {
    const { pair, effects } = noted({ transports: ['poll'], limits: { ttlMs: 5_000 } });
    pair.runUntil(() => pair.client.session.transport === 'poll');
    pair.time.run(100);
    const was = pair.client.session.sid;
    pair.network.weather.http = 'refused';
    pair.network.cutAll();
    pair.time.run(20_000);
    expect(pair.ended).toEqual([[was, 'session_lost']]);
    const before = attaches(effects).length;
    pair.network.weather.http = 'open';
    pair.client.input((session, now) => session.wake(now));
    pair.runUntil(() => pair.client.session.transport === 'poll', 30_000);
    expect(attaches(effects).length).toBe(before + 1);
    expect(pair.losses).toBe(1);
    expect(pair.client.session.sid).not.toBe(was);
  });

  it('10.8: a socket that went silent is replaced within two seconds, and attached anew when it speaks again', () => {
    const { pair, effects } = noted();
    pair.runUntil(() => pair.client.session.transport === 'websocket');
    pair.time.run(5_000);
    const silent = [...pair.network.connections].find(({ kind }) => kind === 'websocket');
    silent?.up.stall();
    silent?.down.stall();
    const at = pair.time.now;
    pair.sendUp(1);
    pair.runUntil(() => pair.up.length === 1, 5_000);
    expect(pair.time.now - at).toBeLessThanOrEqual(2_000);
    expect(attaches(effects)[2]?.mode).toBe('poll');
    silent?.up.release();
    silent?.down.release();
    expect(pair.runUntil(() => pair.client.session.transport === 'websocket', 10_000)).toBe(true);
    expect(pair.losses).toBe(0);
    expect(ids(pair.up)).toEqual([1]);
  });

  it('§7.3: a frame that leaves one out on its link costs the link, and nothing is lost', () => {
    const { pair, effects } = noted({ transports: ['websocket'] });
    pair.runUntil(() => pair.client.session.transport === 'websocket');
    pair.time.run(2_000);
    const socket = effects.find(({ effect }) => effect.type === 'open')?.effect;
    if (socket?.type !== 'open') throw new Error('no socket was opened');
    pair.sendDown(1);
    pair.time.run(1_000);
    // A welcome that claims frames further on, as if those between had been carried elsewhere.
    const { sid } = pair.client.session;
    const header = {
      key: 'k',
      cid: 'id1',
      sid,
      node: 'n1',
      gen: 1,
      resumed: true,
      rx: 0,
      base: 5,
      client: 'c',
      heartbeatMs: 10_000,
      limits: { messageBytes: 1_000, outboxBytes: 1_000_000, holdMs: 1_000, dedupMs: 1_000, ttlMs: 1_000 },
      transports: ['websocket'],
    };
    const carrier = socket.carrier;
    pair.client.input((session, now) => session.handleLine(carrier, JSON.stringify([0, header]), now));
    pair.client.input((session, now) => session.handleLine(carrier, '[19,99,null]', now));
    expect(ids(pair.down)).toEqual([1]);
    pair.sendDown(2);
    expect(pair.runUntil(() => pair.down.length === 2, 10_000)).toBe(true);
    expect(ids(pair.down)).toEqual([1, 2]);
    expect(pair.losses).toBe(0);
    expect(attaches(effects).length).toBe(2);
  });
});
