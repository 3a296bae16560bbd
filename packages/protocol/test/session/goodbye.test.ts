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

it('a client that closes while it has no link leaves no session behind, if a POST gets through', () => {
  const pair = new Pair().start();
  pair.runUntil(() => pair.client.session.transport === 'websocket');
  pair.time.run(2_000);
  pair.network.weather.http = 'refused';
  pair.network.cutAll();
  pair.runUntil(() => pair.client.session.transport === null);
  expect(pair.server.registry.size).toBe(1);
  pair.network.weather.http = 'open';
  pair.client.input((session, now) => session.close(now));
  pair.time.run(200);
  expect(pair.server.registry.size).toBe(0);
});

describe.each(['stream', 'poll'] as const)(
  'a client whose %s is gone, and that has sent POSTs over it',
  (transport) => {
    it('leaves no session behind when it closes: its goodbye is no repetition of what it sent before', () => {
      const pair = new Pair({ transports: [transport] }).start();
      pair.runUntil(() => pair.client.session.transport === transport);
      pair.sendUp(1);
      pair.runUntil(() => pair.up.length === 1);
      pair.time.run(2_000);
      pair.network.weather.http = 'refused';
      pair.network.cutAll();
      pair.runUntil(() => pair.client.session.transport === null);
      pair.network.weather.http = 'open';
      pair.client.input((session, now) => session.close(now));
      pair.time.run(200);
      expect(pair.server.registry.size).toBe(0);
    });
  },
);

it.each([
  [1, 0],
  [2, 1],
])('of a goodbye whose connection breaks %i times at most one more is sent, and %i sessions stay', (breaks, stay) => {
  const pair = new Pair({ transports: ['poll'] }).start();
  pair.runUntil(() => pair.client.session.transport === 'poll');
  pair.time.run(200);
  let requests = 0;
  const request = pair.network.request.bind(pair.network);
  pair.network.request = (client, effect) => {
    requests += 1;
    pair.network.weather.http = requests > breaks ? 'open' : 'refused';
    return request(client, effect);
  };
  pair.client.input((session, now) => session.close(now));
  pair.time.run(1_000);
  expect(requests).toBe(2);
  expect(pair.server.registry.size).toBe(stay);
});
