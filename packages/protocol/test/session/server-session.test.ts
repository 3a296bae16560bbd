import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import type { Line } from '../../src/session/ledger.ts';
import type { Answer, Identity, LinkPort } from '../../src/session/server/ports.ts';
import { SessionRegistry } from '../../src/session/server/session-registry.ts';
import { type Attach, Type } from '../../src/wire/frames.ts';

type Frame = readonly unknown[];
const anyone: Identity = { id: 'anyone' };

function world() {
  const told: boolean[] = [];
  const ended: string[] = [];
  const confirmed: string[] = [];
  const taken: Frame[] = [];
  /** What the application calls when the subscriptions of an attach are answered. */
  const settles: (() => void)[] = [];
  const clock = { now: 0 };
  let ids = 0;
  const registry = new SessionRegistry<Line, Identity>({
    node: 'n1',
    limits: DEFAULT_LIMITS,
    transports: ['websocket', 'stream', 'poll'],
    sessionsMax: 10,
    settleMs: 500,
    app: {
      created: (_session, subs, settled) => (subs.length === 0 ? settled() : settles.push(settled)),
      frame: (_session, frame) => taken.push(frame),
      confirmed: ({ sid }) => confirmed.push(sid),
      resumed: () => {},
      reachable: (_session, reachable) => told.push(reachable),
      ended: (_session, code) => ended.push(code),
    },
    now: () => clock.now,
    newId: () => `id${++ids}`,
    issueKey: (sid) => sid,
    readKey: (sid) => ({ sid, genuine: true }),
    line: (text) => ({ text, size: text.length + 1 }),
    onWork: () => {},
  });
  const answer = (): Answer<Line> & { frames: Frame[] | null } => ({
    frames: null,
    end(lines) {
      expect(this.frames).toBeNull();
      this.frames = lines.map(({ text }) => JSON.parse(text) as Frame);
    },
  });
  const socket = (now: number, transport: 'websocket' | 'stream' = 'websocket') => {
    const frames: Frame[] = [];
    const port: LinkPort<Line> & { over: boolean } = {
      transport,
      congested: false,
      over: false,
      write: (lines) => frames.push(...lines.map(({ text }) => JSON.parse(text) as Frame)),
      end() {
        this.over = true;
      },
    };
    return { frames, port, link: registry.connect(port, now) };
  };
  const attach = (gen: number, mode: Attach['mode'], more: Partial<Attach> = {}): Attach => ({
    v: 1,
    cid: 'c',
    gen,
    rx: 0,
    mode,
    ...more,
  });
  const byPoll = (gen: number, now = 0) => {
    const got = answer();
    registry.attach(attach(gen, 'poll', { hold: 0 }), anyone, { answer: got }, now);
    return got;
  };
  const session = () => [...registry.sessions()][0] as NonNullable<ReturnType<typeof registry.session>>;
  const poll = (gen: number, n: number, now: number, rx = 0, hold = 25_000) => {
    const got = answer();
    registry.poll({ key: session().key, node: 'n1', gen, n, rx, hold }, got, now);
    return got;
  };
  const run = (until: number): void => {
    for (let at = registry.nextTimeout(); at <= until; at = registry.nextTimeout()) registry.handleTimeout(at);
  };
  return {
    registry,
    clock,
    told,
    ended,
    confirmed,
    taken,
    settles,
    answer,
    socket,
    attach,
    byPoll,
    session,
    poll,
    run,
  };
}

describe('a session carried by polls', () => {
  it('answers a lower number empty at once, holds a copy beside the first, and ends the older for a higher one', () => {
    const { byPoll, poll } = world();
    byPoll(1);
    const second = poll(1, 2, 10);
    expect(poll(1, 1, 20).frames?.map(([type]) => type)).toEqual([10, 13]);
    const copy = poll(1, 2, 30);
    expect([second.frames, copy.frames]).toEqual([null, null]);
    const third = poll(1, 3, 40);
    expect(second.frames).toEqual(copy.frames);
    expect(second.frames?.map(([type]) => type)).toEqual([10, 13]);
    expect(third.frames).toBeNull();
  });

  it('is held until its last copy is given up', () => {
    const { byPoll, poll, registry, run, ended, told } = world();
    byPoll(1);
    const first = poll(1, 1, 10);
    const copy = poll(1, 1, 20);
    registry.handleAnswerClosed(first, 30);
    run(5_100);
    expect(told).toEqual([]);
    registry.handleAnswerClosed(copy, 6_000);
    run(11_000);
    expect(told).toEqual([false]);
    run(126_001);
    expect(ended).toEqual(['session_lost']);
  });

  it('is out of reach five seconds after the last request, and told again when polled again', () => {
    const { byPoll, poll, run, told } = world();
    byPoll(1);
    poll(1, 1, 0, 0, 0);
    run(4_999);
    expect(told).toEqual([]);
    run(5_000);
    expect(told).toEqual([false]);
    poll(1, 2, 6_000);
    expect(told).toEqual([false, true]);
  });

  it('keeps the answer to a ping however many volatile frames wait', () => {
    const { byPoll, poll, registry, session } = world();
    byPoll(1);
    registry.post(
      { key: session().key, node: 'n1', gen: 1, n: 1, base: 0 },
      [{ frame: [1, 7], size: 6 }],
      { end: () => {} },
      1,
    );
    for (let i = 0; i < 20; i += 1)
      session().sendLoose({ text: JSON.stringify([9, 1, 0, 'x'.repeat(10_000)]), size: 10_020 });
    const types = poll(1, 1, 2).frames?.map(([type]) => type);
    expect(types?.filter((type) => type === 2)).toHaveLength(1);
    expect(types?.filter((type) => type === 9)).toHaveLength(6);
  });

  it('asks for an attach where a POST leaves a gap, and fences one of another generation', () => {
    const { byPoll, registry, session, answer } = world();
    byPoll(1);
    const [gap, old] = [answer(), answer()];
    registry.post({ key: session().key, node: 'n1', gen: 1, n: 1, base: 3 }, [], gap, 1);
    registry.post({ key: session().key, node: 'n1', gen: 0, n: 1, base: 0 }, [], old, 1);
    expect([gap.frames, old.frames]).toEqual([[[14, 1]], [[8, 1]]]);
  });

  it('is resumable again after an overflow once the client has taken what was sent', () => {
    const { byPoll, poll, session } = world();
    byPoll(1);
    const held = poll(1, 1, 0);
    for (let i = 0; i <= DEFAULT_LIMITS.outboxFrames; i += 1) session().enqueue({ text: `[19,${i + 1}]`, size: 9 });
    expect(held.frames).toEqual([[14, 1]]);
    const { acked, ob, tx } = session().ledger;
    expect([acked, ob]).toEqual([0, tx]);
    expect(poll(1, 2, 1, 5).frames).toEqual([[14, 1]]);
    poll(1, 3, 2, tx);
    expect(session().ledger.covers(tx)).toBe(true);
  });

  it('is out of reach from when its attach was answered, however long the application took to settle it', () => {
    const { registry, attach, answer, clock, settles, run, told } = world();
    const got = answer();
    registry.attach(attach(1, 'poll', { hold: 0, subs: [[1, 'c', {}]] }), anyone, { answer: got }, 0);
    expect(got.frames).toBeNull();
    clock.now = 400;
    settles[0]?.();
    expect(got.frames?.map(([type]) => type)).toEqual([0, 13]);
    run(5_399);
    expect(told).toEqual([]);
    run(5_400);
    expect(told).toEqual([false]);
  });

  it('is not confirmed after a POST has ended it', () => {
    const { byPoll, registry, session, answer, ended } = world();
    byPoll(1);
    const got = answer();
    registry.post({ key: session().key, node: 'n1', gen: 1, n: 1, base: 0, rx: 9 }, [], got, 1);
    expect(ended).toEqual(['protocol_error']);
    expect(got.frames?.[0]?.slice(0, 2)).toEqual([4, 'protocol_error']);
  });
});

describe('a session carried by links', () => {
  it('changes them without being out of reach', () => {
    const { registry, socket, attach, session, told } = world();
    const [first, second] = [socket(0), socket(0)];
    registry.attach(attach(1, 'websocket'), anyone, { link: first.link }, 0);
    registry.attach(attach(2, 'websocket'), anyone, { link: second.link }, 1);
    expect(told).toEqual([]);
    second.link.handleClosed(2);
    expect(told).toEqual([false]);
    registry.attach(attach(3, 'websocket'), anyone, { link: first.link }, 3);
    expect(told).toEqual([false, true]);
    expect(session().link).toBe(first.link);
  });

  it('keeps a bounded number of superseded sockets', () => {
    const { registry, socket, attach } = world();
    for (let gen = 1; gen <= 20; gen += 1)
      registry.attach(attach(gen, 'websocket'), anyone, { link: socket(0).link }, 0);
    expect(registry.linkCount).toBe(3);
  });

  it('is told its own key, where the client has shown that of one which is gone', () => {
    const { registry, socket, attach, session } = world();
    const { frames, link } = socket(0);
    registry.attach(attach(2, 'websocket', { key: 'gone' }), anyone, { link }, 0);
    registry.flush(0);
    expect(frames[0]).toMatchObject([0, { key: session().key, sid: session().sid, was: 'gone', resumed: false }]);
    expect(session().key).not.toBe('gone');
  });

  it('takes a frame whose slices come one at a time, between pings', () => {
    const { registry, socket, attach, session, taken } = world();
    const { link } = socket(0);
    registry.attach(attach(1, 'websocket'), anyone, { link }, 0);
    const slice = (more: 0 | 1, text: string) => link.handleFrame([Type.fragment, more, text], 10, 1);
    slice(1, '[22,1,');
    link.handleFrame([Type.ping, 1], 10, 2);
    slice(1, '"c","e",');
    link.handleFrame([Type.ping, 2], 10, 3);
    slice(0, 'null,"k"]');
    expect([taken, session().ledger.rx]).toEqual([[[Type.publish, 1, 'c', 'e', null, 'k']], 3]);
  });

  it('moves to the newest body when its opening is repeated', () => {
    const { registry, socket, attach, session, told } = world();
    const [first, second] = [socket(0, 'stream'), socket(0, 'stream')];
    registry.attach(attach(1, 'stream', { subs: [[1, 'c', {}]] }), anyone, { link: first.link }, 0);
    registry.attach(attach(1, 'stream', { subs: [[1, 'c', {}]] }), anyone, { link: second.link }, 1);
    expect(first.port.over).toBe(true);
    expect(session().link).toBe(second.link);
    expect([session().gen, registry.size, told]).toEqual([1, 1, []]);
  });

  it('leaves a socket that attaches for another session', () => {
    const { registry, socket, attach, told } = world();
    const { link } = socket(0);
    registry.attach(attach(1, 'websocket'), anyone, { link }, 0);
    const left = link.session;
    registry.attach(attach(1, 'websocket', { cid: 'd' }), anyone, { link }, 1);
    expect([left?.link, link.session?.cid, told]).toEqual([null, 'd', [false]]);
  });

  it('fences an attach that is not newer, and an orphan ends after ten seconds', () => {
    const { registry, socket, attach, run, ended } = world();
    const [first, second] = [socket(0), socket(0)];
    registry.attach(attach(2, 'websocket'), anyone, { link: first.link }, 0);
    registry.attach(attach(2, 'websocket'), anyone, { link: second.link }, 0);
    expect(second.frames).toEqual([[8, 2]]);
    run(10_000);
    expect(ended).toEqual(['session_lost']);
  });

  it('is confirmed by a ping on the current link, and by no other', () => {
    const { registry, socket, attach, run, session, confirmed, ended } = world();
    const [first, second] = [socket(0), socket(0)];
    registry.attach(attach(1, 'websocket'), anyone, { link: first.link }, 0);
    registry.attach(attach(2, 'websocket'), anyone, { link: second.link }, 1);
    first.link.handleFrame([1, 7], 6, 2);
    expect(confirmed).toEqual([]);
    second.link.handleFrame([1, 7, 0], 8, 3);
    second.link.handleFrame([1, 8, 0], 8, 4);
    expect(confirmed).toEqual([session().sid]);
    run(10_003);
    expect(ended).toEqual([]);
  });

  it('is confirmed by an attach with its key, and not by one without', () => {
    const { registry, socket, attach, run, session, confirmed, ended } = world();
    registry.attach(attach(1, 'websocket'), anyone, { link: socket(0).link }, 0);
    registry.attach(attach(2, 'websocket'), anyone, { link: socket(0).link }, 1);
    expect(confirmed).toEqual([]);
    registry.attach(attach(3, 'websocket', { key: session().key, node: 'n1' }), anyone, { link: socket(0).link }, 2);
    expect(confirmed).toEqual([session().sid]);
    run(10_003);
    expect(ended).toEqual([]);
  });

  it('says goodbye in at most 512 characters', () => {
    const { registry, socket, attach, session } = world();
    const { link, frames } = socket(0);
    registry.attach(attach(1, 'websocket'), anyone, { link }, 0);
    session().end('kicked', 'x'.repeat(9_999), 1);
    expect(frames.at(-1)?.[2]).toBe('x'.repeat(512));
  });
});
