import { expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { Incarnation } from '../../src/session/client/incarnation.ts';

/** How many bytes of such text, a line of 100 characters each, are taken before the server is told. */
function untoldBytes(character: string): number {
  const incarnation = new Incarnation();
  incarnation.begin({ ...DEFAULT_LIMITS, outboxBytes: 120_000 });
  const text = `[19,1,"${character.repeat(91)}"]`;
  let bytes = 0;
  while (!incarnation.ackDue || bytes === 0) {
    incarnation.take([19, 1, null], text.length);
    bytes += Buffer.byteLength(text);
  }
  return bytes;
}

test('what was taken is told by a quarter of the outbox, in whatever script', () => {
  for (const character of ['a', 'é', '語']) {
    expect(untoldBytes(character), character).toBeLessThanOrEqual(30_000 + 300);
    expect(untoldBytes(character), character).toBeGreaterThan(5_000);
  }
});
