/** Proxies that refuse POSTs of more than so many bytes with 413. */
import { describe, expect, it } from 'vitest';
import { Pair } from '../../src/testing/index.ts';

const BYTES_MAX = 16_384;
const REFUSED_MS = 20;

/** A pair with such a proxy between; `refused` counts what it did not let through. */
function behindProxy(options: ConstructorParameters<typeof Pair>[0]): { pair: Pair; refused: () => number } {
  const pair = new Pair(options);
  const request = pair.network.request.bind(pair.network);
  let refused = 0;
  pair.network.request = (client, effect) => {
    if (effect.body.length <= BYTES_MAX) return request(client, effect);
    refused += 1;
    pair.time.after(REFUSED_MS, () => {
      client.lines(effect.carrier, ['<title>413</title>']);
      client.input((session, now) => session.handleEnd(effect.carrier, { ok: false, code: 413 }, now));
    });
    return () => {};
  };
  return { pair: pair.start(), refused: () => refused };
}

function sendUp(pair: Pair, ids: readonly number[], length: number): void {
  pair.client.input((session, now) => {
    const texts = ids.map((id) => `[18,${id},"c","m","${'x'.repeat(length)}"]`);
    session.send(texts.map((text) => ({ text, size: text.length + 1 })));
    session.flush(now);
  });
}

const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, i) => from + i);

describe.each(['stream', 'poll'] as const)('what goes up beside a %s', (transport) => {
  it('goes up in POSTs that are let through, and once that is known, in no others', () => {
    const { pair, refused } = behindProxy({ transports: [transport] });
    pair.runUntil(() => pair.client.session.transport === transport);
    sendUp(pair, range(1, 40), 1_000);
    expect(pair.runUntil(() => pair.up.length === 40, 2_000)).toBe(true);
    expect(refused()).toBeGreaterThan(0);
    const before = refused();
    sendUp(pair, range(41, 40), 1_000);
    expect(pair.runUntil(() => pair.up.length === 80, 2_000)).toBe(true);
    expect(refused()).toBe(before);
    expect(pair.up.map(([, id]) => id)).toEqual(range(1, 80));
  });

  it('ends the session with a code where one frame alone is too large', () => {
    const { pair } = behindProxy({ transports: [transport] });
    pair.runUntil(() => pair.client.session.transport === transport);
    sendUp(pair, [1], 20_000);
    expect(pair.runUntil(() => pair.client.session.state.status === 'closed', 10_000)).toBe(true);
    expect(pair.client.session.state).toMatchObject({ code: 'frame_too_large' });
  });
});

it('a frame that is too large for POSTs goes up by WebSocket, and is waited for', () => {
  const { pair } = behindProxy({ delayMs: 100 });
  pair.runUntil(() => pair.client.session.transport === 'poll');
  sendUp(pair, [1], 20_000);
  expect(pair.runUntil(() => pair.up.length === 1, 2_000)).toBe(true);
  expect(pair.client.session.transport).toBe('websocket');
});
