import { describe, expect, it } from 'vitest';
import { ClientSession } from '../../src/session/client/client-session.ts';
import { Pair } from '../../src/testing/index.ts';
import type { AttachSub, Transport } from '../../src/wire/frames.ts';

const open = (options: ConstructorParameters<typeof Pair>[0] = {}): Pair => {
  const pair = new Pair(options).start();
  const best = options.transports?.[0] ?? 'websocket';
  expect(pair.runUntil(() => pair.client.session.transport === best)).toBe(true);
  pair.time.run(5_000);
  return pair;
};

const effects = (pair: Pair): { sent: string[]; opened: number } => {
  const seen = { sent: [] as string[], opened: 0 };
  const take = pair.client.session.takeEffects.bind(pair.client.session);
  pair.client.session.takeEffects = () => {
    const taken = take();
    for (const effect of taken) {
      if (effect.type === 'send') seen.sent.push(effect.text);
      if (effect.type === 'open') seen.opened += 1;
      if (effect.type === 'request') seen.sent.push(...effect.body.trimEnd().split('\n'));
    }
    return taken;
  };
  return seen;
};

describe('a client that seeks a link', () => {
  it('backs off between WebSockets that are refused where nothing else is allowed', () => {
    const pair = new Pair({ transports: ['websocket'] });
    pair.network.weather.websocket = 'refused';
    const seen = effects(pair);
    pair.start();
    pair.time.run(60_000);
    expect(seen.opened).toBeGreaterThan(5);
    expect(seen.opened).toBeLessThan(80);
  });

  it('backs off between attaches that fail beside a living link', () => {
    const pair = open();
    pair.network.weather.http = 'refused';
    const before = pair.client.session.counts.attaches;
    pair.client.input((session, now) => session.use('poll', now));
    pair.time.run(30_000);
    expect(pair.client.session.counts.attaches - before).toBeLessThan(45);
    expect(pair.client.session.transport).toBe('websocket');
  });

  it('sends one ping for any number of wakes', () => {
    const pair = open();
    const seen = effects(pair);
    for (let i = 0; i < 100; i += 1) pair.client.input((session, now) => session.wake(now));
    expect(seen.sent.filter((text) => text.startsWith('[1,'))).toHaveLength(1);
  });

  it('suspects a mute socket within 1.3 s of something unanswered and replaces it within 2 s', () => {
    const pair = open();
    for (const { up, down } of pair.network.connections) {
      up.mute();
      down.mute();
    }
    const at = pair.time.now;
    pair.sendUp(1);
    expect(pair.runUntil(() => pair.client.session.transport === 'poll', 2_000)).toBe(true);
    expect(pair.time.now - at).toBeLessThanOrEqual(1_300);
    expect(pair.runUntil(() => pair.up.length === 1, 2_000)).toBe(true);
  });

  it('suspects it just as early where the answer to something older still came', () => {
    const pair = open({ delayMs: 100 });
    pair.sendUp(1);
    expect(pair.runUntil(() => pair.up.length === 1, 2_000)).toBe(true);
    for (const { up } of pair.network.connections) up.mute();
    const at = pair.time.now;
    pair.sendUp(2);
    pair.sendDown(1);
    expect(pair.runUntil(() => pair.down.length === 1, 2_000)).toBe(true);
    for (const { down } of pair.network.connections) down.mute();
    expect(pair.runUntil(() => pair.client.session.transport === 'poll', 10_000)).toBe(true);
    expect(pair.time.now - at).toBeLessThanOrEqual(2_000);
    expect(pair.runUntil(() => pair.up.length === 2, 1_000)).toBe(true);
  });

  it('asks for no sign of life where every answer says what has come', () => {
    const pair = open();
    const seen = effects(pair);
    for (let id = 1; id <= 20; id += 1) {
      pair.sendUp(id);
      expect(pair.runUntil(() => pair.up.length === id, 1_000)).toBe(true);
      pair.sendDown(id);
      pair.time.run(400);
    }
    expect(seen.sent.filter((text) => text.startsWith('[1,'))).toEqual([]);
  });

  it('finds out within a heartbeat and 2 s that a socket it only listens to is mute', () => {
    const pair = open();
    for (const { up, down } of pair.network.connections) {
      up.mute();
      down.mute();
    }
    expect(pair.runUntil(() => pair.client.session.transport === 'poll', 12_100)).toBe(true);
  });

  it('moves from a stream to a WebSocket without being out of reach', () => {
    const pair = open();
    pair.client.input((session, now) => session.use('stream', now));
    expect(pair.runUntil(() => pair.client.session.transport === 'stream', 10_000)).toBe(true);
    // The goodbye of the stream overtakes the welcome on the socket.
    pair.states.length = 0;
    pair.client.input((session, now) => session.use('websocket', now));
    expect(pair.runUntil(() => pair.client.session.transport === 'websocket', 10_000)).toBe(true);
    expect(pair.states.filter(({ status }) => status !== 'open')).toEqual([]);
  });

  it('says goodbye once and settles, whatever is under way', () => {
    for (const ms of [0, 5, 15, 25, 60, 200]) {
      const pair = new Pair().start();
      pair.time.run(ms);
      pair.sendUp(1);
      pair.client.input((session, now) => session.close(now));
      pair.client.input((session, now) => session.close(now));
      pair.time.run(15_000);
      expect(pair.client.session.state.status, String(ms)).toBe('closed');
      expect(pair.client.session.carrierCount, String(ms)).toBe(0);
      expect(pair.server.registry.size, String(ms)).toBe(0);
      expect(pair.client.session.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    }
  });

  it('asks for credentials again and again with growing pauses while they cannot be had', () => {
    let asked = 0;
    const session = newSession({ hasCredentials: true });
    session.start(0);
    for (let at = 0; at < 60_000; at = session.nextTimeout()) {
      session.handleTimeout(at);
      for (const effect of session.takeEffects()) {
        if (effect.type !== 'credentials') continue;
        asked += 1;
        session.handleCredentialsFailed('no', at);
      }
    }
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThan(80);
  });

  it('asks once for other credentials, and ends when those are refused too', () => {
    const session = newSession({ hasCredentials: true, transports: ['poll'] });
    session.start(0);
    const asked: boolean[] = [];
    let at = 0;
    for (let i = 0; i < 20 && session.state.status !== 'closed'; i += 1) {
      for (const effect of session.takeEffects()) {
        if (effect.type === 'credentials') {
          asked.push(effect.refresh);
          session.handleCredentials('secret', at);
        } else if (effect.type === 'request') session.handleLine(effect.carrier, '[4,"unauthorized","no",0]', at);
      }
      at = Math.min(at + 100, session.nextTimeout());
      session.handleTimeout(at);
    }
    expect(asked).toEqual([false, true]);
    expect(session.state).toMatchObject({ status: 'closed', code: 'unauthorized' });
  });

  it('does not take a late refusal of its former credentials for one of the fresh ones', () => {
    const session = newSession({ hasCredentials: true, transports: ['poll'] });
    session.start(0);
    let at = 0;
    const asked: boolean[] = [];
    const attaches: { gen: number; auth: string }[] = [];
    // The second attach is answered with what was meant for the first.
    const refused = [1, 1, 3];
    while (at < 10_000 && session.state.status !== 'closed') {
      for (const effect of session.takeEffects()) {
        if (effect.type === 'credentials') {
          asked.push(effect.refresh);
          session.handleCredentials(`secret ${asked.length}`, at);
        } else if (effect.type === 'request') {
          attaches.push((JSON.parse(effect.body) as [0, { gen: number; auth: string }])[1]);
          session.handleLine(effect.carrier, JSON.stringify([4, 'unauthorized', 'no', 0, refused.shift()]), at);
        }
      }
      at = Math.min(at + 100, session.nextTimeout());
      session.handleTimeout(at);
    }
    expect(attaches).toMatchObject([
      { gen: 1, auth: 'secret 1' },
      { gen: 2, auth: 'secret 2' },
      { gen: 3, auth: 'secret 2' },
    ]);
    expect(asked).toEqual([false, true]);
    expect(session.state).toMatchObject({ status: 'closed', code: 'unauthorized' });
  });

  it('asks for other credentials again after it has begun anew', () => {
    const session = newSession({ hasCredentials: true, transports: ['poll'] });
    session.start(0);
    let at = 0;
    const asked: boolean[] = [];
    const answers = [
      [4, 'internal', '', 0, 1],
      [4, 'unauthorized', '', 0, 2],
      [8, 100],
      [4, 'unauthorized', '', 0, 1],
    ];
    while (at < 20_000 && session.state.status !== 'closed') {
      for (const effect of session.takeEffects()) {
        if (effect.type === 'credentials') {
          asked.push(effect.refresh);
          session.handleCredentials('secret', at);
        } else if (effect.type === 'request') {
          session.handleLine(effect.carrier, JSON.stringify(answers.shift()), at);
        }
      }
      at = Math.min(at + 100, session.nextTimeout());
      session.handleTimeout(at);
    }
    expect(asked).toEqual([false, true]);
    expect([session.state.status, answers]).toEqual(['closed', []]);
  });

  it('leaves a server alone for as long as it asked, even where a better way is proven', () => {
    const session = newSession({});
    session.start(0);
    let at = 0;
    const attaches: number[] = [];
    for (; at < 4_900; at = Math.min(at + 10, session.nextTimeout())) {
      session.handleTimeout(at);
      for (const effect of session.takeEffects()) {
        if (effect.type === 'open') session.handleOpen(effect.carrier, at);
        else if (effect.type === 'send' && effect.text.startsWith('[6,'))
          session.handleLine(effect.carrier, '[7,"n"]', at);
        else if (effect.type === 'request') {
          attaches.push(at);
          session.handleLine(effect.carrier, '[15,1,5000]', at);
        } else if (effect.type === 'send' && effect.text.startsWith('[0,')) attaches.push(at);
      }
    }
    expect(attaches).toHaveLength(1);
  });

  /** The body of the first attach that asks for so many channels, and how many are in it. */
  function attachFor(count: number, name: (i: number) => string): { readonly bytes: number; readonly asked: number } {
    const subs = Array.from({ length: count }, (_, i) => [i + 1, name(i), {}] as const);
    const session = newSession({ transports: ['poll'], subs });
    session.start(0);
    const [effect] = session.takeEffects();
    const body = effect?.type === 'request' ? effect.body : '';
    const [, header] = JSON.parse(body) as [0, { subs: unknown[] }];
    return { bytes: new TextEncoder().encode(body).length, asked: header.subs.length };
  }

  it('asks an attach for as many channels as one line holds', () => {
    const { bytes, asked } = attachFor(1_000, (i) => `channel-${i}-${'é'.repeat(60)}`);
    expect(bytes).toBeLessThanOrEqual(65_536 - 16_384);
    expect(asked).toBeGreaterThan(250);
  });

  it('asks an attach for no more channels than a session may have', () => {
    expect(attachFor(1_500, (i) => `c${i}`).asked).toBe(1_000);
  });

  it('stays where it is when asked for a transport that the server does not have', () => {
    const session = newSession({});
    session.start(0);
    const attach = session.takeEffects().find(({ type }) => type === 'request');
    const id = attach?.type === 'request' ? attach.carrier : 0;
    session.handleLine(id, welcome({ transports: ['poll'] }), 10);
    session.handleLine(id, '[13]', 10);
    session.handleEnd(id, { ok: true }, 10);
    session.use('stream', 20);
    session.takeEffects();
    session.handleTimeout(10_000);
    expect(session.takeEffects().filter((effect) => effect.type === 'open')).toEqual([]);
    expect(session.gen).toBe(1);
  });

  it('ignores the frames of a welcome to a session that is not ours', () => {
    const frames: unknown[] = [];
    const session = newSession({ transports: ['poll'], frames });
    session.start(0);
    const carrier = (): number =>
      session
        .takeEffects()
        .flatMap((effect) => (effect.type === 'request' ? [effect.carrier] : []))
        .at(-1) ?? 0;
    const first = carrier();
    session.handleLine(first, welcome({}), 10);
    session.handleEnd(first, { ok: false }, 2_000);
    const second = carrier();
    session.handleLine(second, welcome({ sid: 'other', was: 'another', resumed: false, gen: 2 }), 2_010);
    session.handleLine(second, '[19,1]', 2_010);
    expect(frames).toEqual([]);
    expect([session.sid, session.ledger.rx]).toEqual(['s', 0]);
  });

  it('starts anew where the fragments that were counted make no frame', () => {
    const session = newSession({ transports: ['poll'] });
    session.start(0);
    const [attach] = session.takeEffects();
    const id = attach?.type === 'request' ? attach.carrier : 0;
    session.handleLine(id, welcome({}), 10);
    session.handleLine(id, '[30,1,"[19,"]', 10);
    session.handleLine(id, '[19,1]', 10);
    expect([session.sid, session.ledger.rx, session.ready]).toEqual([null, 0, false]);
  });

  it('refuses a welcome to another client, as a cache may have kept one', () => {
    const pair = new Pair({ transports: ['poll'] });
    const { session } = pair.client;
    session.start(0);
    const [request] = session.takeEffects();
    if (request?.type !== 'request') throw new Error('nothing was asked');
    session.handleLine(request.carrier, welcome({ cid: 'id0' }), 10);
    expect([session.sid, session.state.status]).toEqual([null, 'connecting']);
  });
});

const welcome = (more: object): string =>
  JSON.stringify([
    0,
    {
      cid: 'id1',
      key: 'k',
      sid: 's',
      node: '',
      gen: 1,
      resumed: true,
      rx: 0,
      base: 0,
      client: 'me',
      heartbeatMs: 10_000,
      limits: { messageBytes: 1_048_576, outboxBytes: 4_194_304, holdMs: 25_000, dedupMs: 300_000, ttlMs: 120_000 },
      transports: ['websocket', 'stream', 'poll'],
      ...more,
    },
  ]);

function newSession(options: {
  hasCredentials?: boolean;
  transports?: readonly Transport[];
  subs?: readonly AttachSub[];
  frames?: unknown[];
}): ClientSession {
  let ids = 0;
  return new ClientSession({
    app: {
      subs: () => options.subs ?? [],
      lost: () => {},
      attached: () => {},
      frame: (frame) => options.frames?.push(frame),
      state: () => {},
      attempt: () => {},
    },
    transports: options.transports ?? ['websocket', 'stream', 'poll'],
    newId: () => `id${++ids}`,
    random: () => 0.5,
    hasCredentials: options.hasCredentials ?? false,
  });
}
