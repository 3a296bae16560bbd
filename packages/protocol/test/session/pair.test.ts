import { describe, expect, it } from 'vitest';
import { Pair } from '../../src/testing/index.ts';

const numbers = (frames: readonly (readonly unknown[])[]): unknown[] => frames.map((frame) => frame[1]);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe('a client and a server', () => {
  it('are connected by poll after two round trips and by WebSocket soon after', () => {
    const pair = new Pair().start();
    pair.runUntil(() => pair.client.session.transport === 'poll');
    expect(pair.time.now).toBe(41);
    pair.runUntil(() => pair.client.session.transport === 'websocket');
    expect(pair.time.now).toBeLessThanOrEqual(4 * 20 + 10);
    expect(pair.server.registry.size).toBe(1);
  });

  for (const transport of ['websocket', 'stream', 'poll'] as const) {
    it(`exchange numbered frames over ${transport}`, () => {
      const pair = new Pair({ transports: [transport] }).start();
      expect(pair.runUntil(() => pair.client.session.transport === transport)).toBe(true);
      for (const id of upTo(50)) {
        expect(pair.sendUp(id)).toBe(true);
        pair.sendDown(id);
        pair.time.run(7);
      }
      expect(pair.runUntil(() => pair.up.length === 50 && pair.down.length === 50, 5_000)).toBe(true);
      expect(numbers(pair.up)).toEqual(upTo(50));
      expect(numbers(pair.down)).toEqual(upTo(50));
      pair.time.run(60_000);
      expect(pair.client.session.transport).toBe(transport);
      expect(pair.client.session.ledger.acked).toBe(50);
      expect(pair.serverSession?.ledger.acked).toBe(50);
      expect(pair.client.session.counts.attaches).toBe(1);
    });
  }

  it('do not let answers pile up at the server while the client asks on', () => {
    const pair = new Pair({ transports: ['websocket'] }).start();
    pair.runUntil(() => pair.client.session.transport === 'websocket');
    let most = 0;
    for (const id of upTo(200)) {
      pair.sendUp(id);
      pair.sendDown(id, `"${'x'.repeat(90)}"`);
      // Less than it takes until a ping tells it.
      pair.time.run(5);
      most = Math.max(most, pair.serverSession?.ledger.bytes ?? 0);
    }
    // What goes down in one round trip, what need not be told yet, and what goes down until the telling has come up.
    expect(most).toBeLessThan(1_024 + 2 * 8 * 110);
  });

  it('survive switching among all transports', () => {
    const pair = new Pair().start();
    pair.runUntil(() => pair.client.session.transport === 'websocket');
    let sent = 0;
    for (const transport of ['poll', 'stream', 'websocket', 'stream', 'poll', 'websocket'] as const) {
      pair.client.input((session, now) => session.use(transport, now));
      const switched = pair.runUntil(() => {
        if (sent < 5_000) {
          sent += 1;
          pair.sendUp(sent);
          pair.sendDown(sent);
        }
        return pair.client.session.transport === transport;
      }, 10_000);
      expect(switched, transport).toBe(true);
    }
    expect(pair.runUntil(() => pair.up.length === sent && pair.down.length === sent)).toBe(true);
    expect(numbers(pair.up)).toEqual(upTo(sent));
    expect(numbers(pair.down)).toEqual(upTo(sent));
    expect(pair.losses).toBe(0);
  });
});
