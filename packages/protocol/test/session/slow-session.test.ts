import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import type { Line } from '../../src/session/ledger.ts';
import type { Identity, LinkPort } from '../../src/session/server/ports.ts';
import type { ServerSession } from '../../src/session/server/server-session.ts';
import { SessionRegistry } from '../../src/session/server/session-registry.ts';

const limits = { ...DEFAULT_LIMITS, outboxBytes: 1_000, outboxFrames: 100 };

/** One session on a WebSocket that takes what it is given unless it is told to be congested. */
function world() {
  const clock = { now: 0 };
  const sessions: ServerSession<Line, Identity>[] = [];
  const registry = new SessionRegistry<Line, Identity>({
    node: 'n1',
    limits,
    transports: ['websocket', 'poll'],
    sessionsMax: 10,
    settleMs: 500,
    app: {
      created: (session, _subs, settled) => {
        sessions.push(session);
        settled();
      },
      frame: () => {},
      confirmed: () => {},
      resumed: () => {},
      reachable: () => {},
      ended: () => {},
    },
    now: () => clock.now,
    newId: () => 'id',
    issueKey: (sid) => sid,
    readKey: (sid) => ({ sid, genuine: true }),
    line: (text) => ({ text, size: text.length + 1 }),
    onWork: () => {},
  });
  const attach = (gen: number, key?: string) => {
    const written: string[] = [];
    const port: LinkPort<Line> & { congested: boolean } = {
      transport: 'websocket',
      congested: false,
      write: (lines) => written.push(...lines.map(({ text }) => text)),
      end: () => {},
    };
    const link = registry.connect(port, clock.now);
    const known = key === undefined ? {} : { key, node: 'n1' };
    registry.attach({ v: 1, cid: 'c', gen, rx: 0, mode: 'websocket', ...known }, { id: 'ann' }, { link }, clock.now);
    return { port, link, written };
  };
  const carrier = attach(1);
  const session = sessions[0] as ServerSession<Line, Identity>;
  const calls: string[] = [];
  const wait = (name: string, then = () => {}) =>
    session.whenDrained(() => {
      calls.push(name);
      then();
    });
  const send = (bytes: number) => session.enqueue({ text: 'x'.repeat(bytes - 1), size: bytes });
  return { ...carrier, attach, registry, session, calls, wait, send, flush: () => registry.flush(clock.now), clock };
}

describe('a slow session (PROTOCOL §8.10)', () => {
  it('calls who waits at the end of the turn if it is not slow', () => {
    const { session, wait, calls, flush } = world();
    expect(session.slow).toBe(false);
    wait('a');
    expect(calls).toEqual([]);
    flush();
    flush();
    expect(calls).toEqual(['a']);
  });

  it('is slow while its socket is congested, until that drains', () => {
    const { session, port, link, wait, calls, flush } = world();
    port.congested = true;
    wait('a');
    flush();
    expect([session.slow, calls]).toEqual([true, []]);
    port.congested = false;
    link.handleDrain();
    flush();
    expect([session.slow, calls]).toEqual([false, ['a']]);
  });

  it('is slow while more than half of its outbox is unacknowledged', () => {
    const { session, send, wait, calls, flush } = world();
    send(400);
    expect(session.slow).toBe(false);
    send(200);
    wait('a');
    flush();
    expect([session.slow, calls]).toEqual([true, []]);
    session.acknowledge(1, 0);
    flush();
    expect([session.slow, calls]).toEqual([false, ['a']]);
  });

  it('is slow while its client is out of reach, until it attaches', () => {
    const { session, link, attach, wait, calls, flush } = world();
    link.handleClosed(0);
    wait('a');
    expect([session.slow, calls]).toEqual([true, []]);
    attach(2, session.key);
    flush();
    expect([session.slow, calls]).toEqual([false, ['a']]);
  });

  it('calls the next one only if the one before has not made it slow again', () => {
    const { session, send, wait, calls, flush } = world();
    wait('a', () => send(600));
    wait('b');
    flush();
    expect(calls).toEqual(['a']);
    session.acknowledge(1, 0);
    flush();
    expect(calls).toEqual(['a', 'b']);
  });

  it('calls who waits again from within, until it is slow', () => {
    const { session, send, wait, calls, flush } = world();
    const more = (): void => {
      send(200);
      wait('more', more);
    };
    wait('first', more);
    flush();
    expect([session.slow, calls]).toEqual([true, ['first', 'more', 'more']]);
    session.acknowledge(3, 0);
    flush();
    expect(calls).toHaveLength(6);
  });

  it('calls nobody after the one who has ended it', () => {
    const { session, wait, calls, flush } = world();
    wait('a', () => session.end('kicked', '', 0));
    wait('b');
    flush();
    expect(calls).toEqual(['a']);
  });

  it('is not slow while it is polled, nor between two polls', () => {
    const { session, registry, wait, calls, flush, clock } = world();
    const answer = { end: () => {} };
    const header = { v: 1, cid: 'c', gen: 2, rx: 0, mode: 'poll', hold: 0, key: session.key, node: 'n1' } as const;
    registry.attach(header, { id: 'ann' }, { answer }, clock.now);
    expect([session.reachable, session.slow]).toEqual([false, false]);
    wait('a');
    flush();
    expect(calls).toEqual(['a']);
    clock.now = 5_000;
    registry.handleTimeout(clock.now);
    expect(session.slow).toBe(true);
    wait('b');
    flush();
    registry.poll({ key: session.key, node: 'n1', gen: 2, n: 1, rx: 0, hold: 10 }, answer, clock.now);
    flush();
    expect([session.slow, calls]).toEqual([false, ['a', 'b']]);
  });

  it('calls nobody who has called it off, nor anybody after its end', () => {
    const { session, wait, calls, flush } = world();
    const callOff = wait('a');
    callOff();
    flush();
    wait('b');
    session.end('kicked', '', 0);
    flush();
    expect(calls).toEqual([]);
  });
});
