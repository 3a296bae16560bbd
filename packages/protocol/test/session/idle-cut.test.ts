import { describe, expect, it } from 'vitest';
import { IdleCut } from '../../src/session/client/idle-cut.ts';
import { Pair } from '../../src/testing/index.ts';

const after = (...silences: number[]): number => {
  const idleCut = new IdleCut();
  for (const ms of silences) idleCut.cut(ms);
  return idleCut.pingAfterMs;
};

describe('an idle cut', () => {
  it('is learned from two cuts after about the same silence', () => {
    expect(after(3_000)).toBe(Number.POSITIVE_INFINITY);
    expect(after(3_000, 3_100)).toBe(1_500);
    expect(after(3_100, 3_000)).toBe(1_500);
    expect(after(3_000, 5_000)).toBe(Number.POSITIVE_INFINITY);
    expect(after(3_000, 5_000, 5_100)).toBe(2_500);
  });

  it('is not what cuts a link that was not quiet', () => {
    expect(after(400, 410)).toBe(Number.POSITIVE_INFINITY);
    expect(after(3_000, 3_000, 200)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is forgotten with the network', () => {
    const idleCut = new IdleCut();
    for (const ms of [3_000, 3_000]) idleCut.cut(ms);
    idleCut.forget();
    expect(idleCut.pingAfterMs).toBe(Number.POSITIVE_INFINITY);
    idleCut.cut(3_000);
    expect(idleCut.pingAfterMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('costs a client two links, and then a ping in half that time', () => {
    const pair = new Pair().start();
    expect(pair.runUntil(() => pair.client.session.transport === 'websocket')).toBe(true);
    const { session } = pair.client;
    let heardAt = pair.time.now;
    const handleLine = session.handleLine.bind(session);
    session.handleLine = (...line) => {
      heardAt = pair.time.now;
      handleLine(...line);
    };
    let cuts = 0;
    /** A proxy that closes what was quiet for three seconds. */
    const pass = (ms: number): void => {
      for (const until = pair.time.now + ms; pair.time.now < until; ) {
        pair.time.run(100);
        if (pair.time.now - heardAt < 3_000) continue;
        cuts += 1;
        heardAt = pair.time.now;
        for (const connection of pair.network.connections) connection.cut();
      }
    };
    pass(60_000);
    expect(cuts).toBe(2);
    expect(session.transport).toBe('websocket');
    const attaches = session.counts.attaches;
    pass(60_000);
    expect([cuts, session.counts.attaches]).toEqual([2, attaches]);
  });
});
