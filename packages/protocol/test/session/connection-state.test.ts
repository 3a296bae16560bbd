import { describe, expect, it } from 'vitest';
import type { ConnectionState } from '../../src/session/client/ports.ts';
import { Pair, type PairOptions } from '../../src/testing/index.ts';

function open(options: PairOptions = {}): Pair {
  const pair = new Pair(options).start();
  const best = options.transports?.[0] ?? 'websocket';
  expect(pair.runUntil(() => pair.client.session.transport === best)).toBe(true);
  pair.time.run(5_000);
  pair.states.length = 0;
  return pair;
}

/** The codes of the states in which the client was without a link, the latest last. */
const codes = (pair: Pair): unknown[] =>
  pair.states.flatMap((state) => (state.status === 'reconnecting' ? state.code : []));

function end(pair: Pair, code: string, retryMs = 0): void {
  pair.server.turn(() => pair.serverSession?.end(code, 'so it was said', pair.time.now, retryMs));
}

describe('a client without a link says why', () => {
  it('where it broke', () => {
    const pair = open({ transports: ['websocket'] });
    pair.network.weather.websocket = 'refused';
    pair.network.cutAll();
    pair.time.run(10_000);
    expect(new Set(codes(pair))).toEqual(new Set(['link_lost']));
    expect(pair.states[0]).toMatchObject({ status: 'reconnecting', willReconnect: true, attempt: 1 });
  });

  it('where it went silent', () => {
    const pair = open({ transports: ['websocket'] });
    pair.network.weather.websocket = 'refused';
    for (const { up, down } of pair.network.connections) {
      up.mute();
      down.mute();
    }
    pair.time.run(30_000);
    expect(new Set(codes(pair))).toEqual(new Set(['silent']));
  });

  it('where the server gave it up, for as long as it gives no other reason', () => {
    const pair = open({ transports: ['websocket'] });
    pair.network.weather.websocket = 'refused';
    end(pair, 'server_closing', 1_000);
    pair.time.run(10_000);
    expect(codes(pair).length).toBeGreaterThan(3);
    expect(new Set(codes(pair))).toEqual(new Set(['server_closing']));
  });

  it('where an attempt is refused meanwhile', () => {
    const pair = open({ transports: ['poll'] });
    pair.server.turn(() => pair.server.registry.shutdown(0, pair.time.now));
    pair.network.cutAll();
    pair.time.run(5_000);
    expect(codes(pair).at(-1)).toBe('server_closing');
  });

  it('anew each time', () => {
    const pair = open({ transports: ['websocket'] });
    end(pair, 'internal');
    pair.runUntil(() => pair.client.session.transport === 'websocket');
    pair.time.run(5_000);
    expect(codes(pair)).toContain('internal');
    pair.states.length = 0;
    pair.network.cutAll();
    pair.time.run(10_000);
    expect(new Set(codes(pair))).toEqual(new Set(['link_lost']));
  });

  it('even where another was about to take over', () => {
    const pair = open();
    pair.network.weather.http = 'hangs';
    pair.client.input((session, now) => session.use('poll', now));
    end(pair, 'internal');
    pair.time.run(1_000);
    expect(codes(pair)[0]).toBe('internal');
  });
});

describe('a client that is closed says why', () => {
  const closedWith = (code: string): ConnectionState | undefined => {
    const pair = open();
    end(pair, code);
    pair.time.run(60_000);
    return pair.states.at(-1);
  };

  it('in the words of its server', () => {
    const closed = { status: 'closed', willReconnect: false, code: 'kicked', reason: 'so it was said' };
    expect(closedWith('kicked')).toEqual(closed);
  });

  it('where the server had no business to say so', () => {
    expect(closedWith('validation_failed')).toMatchObject({ status: 'closed', code: 'protocol_error' });
  });

  it('but is not, for a code of a newer server', () => {
    expect(closedWith('of_a_newer_version')).toMatchObject({ status: 'open' });
  });
});
