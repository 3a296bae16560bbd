import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pair } from '../../src/testing/index.ts';
import { DOWN_FRAMES } from '../wire/samples.ts';

const anyLine = fc.oneof(
  fc.string(),
  fc.json(),
  fc.constantFrom(...DOWN_FRAMES).map((frame) => JSON.stringify(frame)),
  fc
    .tuple(fc.nat(40), fc.array(fc.jsonValue(), { maxLength: 6 }))
    .map(([type, rest]) => JSON.stringify([type, ...rest])),
  fc.constant('<html><body>Please sign in to the network</body></html>'),
);

describe('a client that is sent nonsense', () => {
  for (const transport of ['websocket', 'stream', 'poll'] as const) {
    it(`never throws, and is closed for a documented reason or carries on, over ${transport}`, () => {
      fc.assert(
        fc.property(fc.array(anyLine, { minLength: 1, maxLength: 8 }), fc.nat(8), (lines, carrier) => {
          const pair = new Pair({ transports: [transport] }).start();
          pair.time.run(100);
          for (const line of lines) pair.client.input((session, now) => session.handleLine(carrier, line, now));
          expect(pair.client.session.carrierCount).toBeLessThanOrEqual(8);
          const { state } = pair.client.session;
          if (state.status === 'closed') return;
          const carriesOn = (): boolean => {
            const { status } = pair.client.session.state;
            return status === 'closed' || (status === 'open' && pair.sendUp(1));
          };
          expect(pair.runUntil(carriesOn, 120_000)).toBe(true);
        }),
        { numRuns: 200 },
      );
    });
  }
});
