import { describe, expect, it } from 'vitest';
import { Pair } from '../../src/testing/index.ts';

describe('a client that closes', () => {
  for (const from of ['websocket', 'stream', 'poll'] as const) {
    for (const to of ['websocket', 'stream', 'poll'] as const) {
      it(`leaves no session behind while it goes from ${from} to ${to}`, () => {
        for (let afterMs = 0; afterMs < 120; afterMs += 3) {
          const pair = new Pair().start();
          pair.client.input((session, now) => session.use(from, now));
          expect(pair.runUntil(() => pair.client.session.transport === from)).toBe(true);
          pair.time.run(200);
          expect(pair.server.registry.size).toBe(1);
          pair.client.input((session, now) => session.use(to, now));
          pair.time.run(afterMs);
          pair.client.input((session, now) => session.close(now));
          pair.time.run(200);
          expect(pair.server.registry.size, `closed after ${afterMs} ms`).toBe(0);
        }
      });
    }
  }
});
