import { EventEmitter, on } from 'node:events';
import { Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import { Gates } from './gates.ts';
import type { Harness, TestClient } from './harness.ts';
import { allow, iterate, openBoard, partsOf } from './open-board.ts';
import { turn } from './virtual-clock.ts';

/** Yields `count` tokens, and keeps a log of what it was asked for. */
function counting(count: number, log: string[] = []) {
  const ask = async function* () {
    try {
      for (let i = 0; i < count; i += 1) {
        log.push(`pull ${i}`);
        yield { token: String(i) };
      }
      return count;
    } finally {
      log.push('closed');
    }
  };
  return { ask, log };
}

const tokens = (count: number, from = 0) => Array.from({ length: count }, (_, i) => ({ token: String(from + i) }));
const tokensOf = (client: TestClient, id: number) =>
  partsOf(client, id).map((part) => (part as { token: string }).token);
const close = (client: TestClient) => client.send([Type.goaway, 'closed', '', 0]);

describe('a streamed answer', () => {
  it('is the parts in order, as the schema puts them, and then the output', async () => {
    const harness = openBoard({
      ask: async function* ({ data }) {
        for (const token of data.split(' ')) yield { token, secret: 1 };
        return data.length;
      },
    });
    const ann = await harness.connect('ann');
    const id = iterate(ann, 10, { data: 'to be or' });
    await turn();
    expect(ann.frames.slice(-4)).toEqual([
      [Type.part, id, { token: 'to' }],
      [Type.part, id, { token: 'be' }],
      [Type.part, id, { token: 'or' }],
      [Type.result, id, 8],
    ]);
    expect(harness.clock.pending).toBe(0);
    expect(harness.app.stats.calls).toBe(0);
  });

  it('is asked of the handler only as far as the client has allowed it', async () => {
    const { ask, log } = counting(5);
    const ann = await openBoard({ ask }).connect('ann');
    const id = iterate(ann, 2);
    await turn();
    expect(partsOf(ann, id)).toEqual(tokens(2));
    expect(log).toEqual(['pull 0', 'pull 1']);
    allow(ann, id, 1);
    await turn();
    expect(log).toEqual(['pull 0', 'pull 1', 'pull 2']);
    allow(ann, id, 10);
    expect(await ann.answer(id)).toEqual([Type.result, id, 5]);
    expect(partsOf(ann, id)).toEqual(tokens(5));
    expect(log.at(-1)).toBe('closed');
  });

  it('may be allowed before its handler has begun', async () => {
    let admit = (): void => {};
    const authorize = () => new Promise((resolve) => (admit = () => resolve(true)));
    const ann = await openBoard({ ...counting(3), authorize }).connect('ann');
    const id = iterate(ann, 1);
    allow(ann, id, 2);
    await turn();
    admit();
    await turn();
    expect(partsOf(ann, id)).toEqual(tokens(3));
  });

  it('may be allowed 1,024 parts ahead, and no more', async () => {
    const { ask, log } = counting(5_000);
    const harness = openBoard({ ask });
    const ann = await harness.connect('ann');
    ann.congested = true;
    const id = iterate(ann, 2_000);
    allow(ann, id, 2_000);
    ann.drain();
    for (let i = 0; i < 200; i += 1) await turn();
    expect(partsOf(ann, id)).toHaveLength(1_024);
    expect(log).toHaveLength(1_024);
  });

  it('does not outrun a client whose socket does not drain', async () => {
    const { ask, log } = counting(1_000);
    const ann = await openBoard({ ask }).connect('ann');
    ann.congested = true;
    const id = iterate(ann, 1_024);
    await turn();
    expect(log).toEqual([]);
    ann.drain();
    await turn();
    expect(log.length).toBeGreaterThan(0);
    ann.congested = true;
    await turn();
    const pulled = log.length;
    await turn();
    expect(log).toHaveLength(pulled);
    ann.drain();
    for (let i = 0; i < 50; i += 1) await turn();
    expect(await ann.answer(id)).toEqual([Type.result, id, 1_000]);
    expect(partsOf(ann, id)).toEqual(tokens(1_000));
  });

  it('leaves the event loop to others between its parts', async () => {
    const { ask, log } = counting(1_000);
    const ann = await openBoard({ ask }).connect('ann');
    iterate(ann, 1_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.length).toBeGreaterThan(0);
    expect(log.length).toBeLessThan(200);
  });

  it('takes turns with the others of its session', async () => {
    const order: string[] = [];
    const ask = async function* ({ data }: { data: string }) {
      for (let i = 0; i < 100; i += 1) {
        order.push(data);
        yield { token: data };
      }
      return 0;
    };
    const ann = await openBoard({ ask }).connect('ann');
    for (const data of ['a', 'b', 'c']) iterate(ann, 1_000, { data });
    for (let i = 0; i < 20; i += 1) await turn();
    expect(order).toHaveLength(300);
    const behind = order.map((_, at) => {
      const counts = ['a', 'b', 'c'].map((name) => order.slice(0, at + 1).filter((data) => data === name).length);
      return Math.max(...counts) - Math.min(...counts);
    });
    // As far as one turn's share, and no further.
    expect(Math.max(...behind)).toBeLessThanOrEqual(64);
  });

  it('does not overflow the outbox beside others that were asked at the same time', async () => {
    const waiting: (() => void)[] = [];
    const ask = async function* () {
      for (let i = 0; i < 3; i += 1) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        yield { token: 'x'.repeat(20_000) };
      }
      return 3;
    };
    const harness = openBoard({ ask }, { limits: { outboxBytes: 100_000, messageBytes: 25_000 } });
    const ann = await harness.connect('ann');
    const ids = Array.from({ length: 20 }, () => iterate(ann, 100));
    await turn();
    expect(waiting).toHaveLength(20);
    // All of them have their parts ready when the socket drains no more.
    ann.congested = true;
    for (const done of waiting.splice(0)) done();
    await turn();
    ann.drain();
    for (let i = 0; i < 100; i += 1) {
      await turn();
      ann.ack();
      for (const done of waiting.splice(0)) done();
    }
    for (const id of ids) {
      expect(await ann.codeOf(id)).toBeNull();
      expect(partsOf(ann, id)).toHaveLength(3);
    }
    expect(ann.ofType(Type.goaway)).toEqual([]);
  });

  it.each([
    ['an iterable', () => [new Date(1), new Date(2)]],
    ['a promise of one', async () => [new Date(1), new Date(2)]],
    [
      'a generator',
      function* () {
        yield* [new Date(1), new Date(2)];
      },
    ],
    [
      'a stream',
      () =>
        new ReadableStream({
          start: (to) => {
            to.enqueue(new Date(1));
            to.enqueue(new Date(2));
            to.close();
          },
        }),
    ],
  ])('may come from %s', async (_, tail) => {
    const ann = await openBoard({ tail }).connect('ann');
    const id = iterate(ann, 10, { method: 'tail' });
    expect(await ann.answer(id)).toEqual([Type.result, id]);
    expect(partsOf(ann, id)).toEqual([1, 2]);
  });

  it.each([5, 'text', null, undefined, {}])('cannot come from %s', async (given) => {
    const harness = openBoard({ tail: () => given });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(iterate(ann, 10, { method: 'tail' }))).toBe('handler_failed');
    expect(harness.errors).toMatchObject([{ error: expect.any(TypeError), context: { method: 'tail' } }]);
  });

  describe('whose handler broadcasts', () => {
    const ask = async function* ({ channel }: { channel: { broadcast(event: string, data: unknown): unknown } }) {
      yield { token: 'x' };
      channel.broadcast('moved', 1);
      yield { token: 'y' };
      return 1;
    };

    it('has its end when the broker has that', async () => {
      const gates = new Gates();
      const ann = await openBoard({ ask }, { latency: gates.latency }).connect('ann');
      gates.hold('accepted');
      const id = iterate(ann, 10);
      await turn();
      expect(partsOf(ann, id)).toHaveLength(2);
      expect(ann.answers(id)).toEqual([]);
      gates.release('accepted');
      expect(await ann.answer(id)).toEqual([Type.result, id, 1]);
    });

    it('fails where the broker did not take that, however long ago', async () => {
      const gates = new Gates();
      const ann = await openBoard({ ask }, { latency: gates.latency }).connect('ann');
      gates.hold('publish');
      const id = iterate(ann, 2);
      await turn();
      gates.fail('publish');
      await turn();
      allow(ann, id, 1);
      expect(await ann.codeOf(id)).toBe('broker_failed');
    });
  });
});

describe('a streamed answer that goes wrong', () => {
  it('fails as the contract declares, at any time', async () => {
    const ask = async function* ({ fail }: { fail(name: string, data: unknown): never }) {
      yield { token: '0' };
      fail('full', { by: 'Bob' });
    };
    const harness = openBoard({ ask });
    const ann = await harness.connect('ann');
    const id = iterate(ann, 10);
    expect((await ann.answer(id)).slice(2)).toEqual(['app:full', 'the request failed: full', false, { by: 'Bob' }]);
    expect(partsOf(ann, id)).toEqual(tokens(1));
    expect(harness.errors).toEqual([]);
  });

  it.each([
    ['that its schema refuses', { token: 5 }, 'validation_failed'],
    ['that is too large', { token: 'x'.repeat(2_000) }, 'payload_too_large'],
  ])('does not tell a client of a part %s, and ends the handler', async (_, part, code) => {
    let closed = false;
    const ask = async function* () {
      try {
        yield { token: 'fine' };
        yield part;
        yield { token: 'never' };
      } finally {
        closed = true;
      }
    };
    const harness = openBoard({ ask }, { limits: { messageBytes: 1_000 } });
    const ann = await harness.connect('ann');
    const id = iterate(ann, 10);
    expect((await ann.answer(id)).slice(2)).toEqual(['handler_failed', 'the handler failed', true]);
    expect(partsOf(ann, id)).toEqual([{ token: 'fine' }]);
    expect(closed).toBe(true);
    expect(harness.errors).toMatchObject([{ error: { code }, context: { during: 'request', method: 'ask' } }]);
  });

  it('never tells a client what the handler threw', async () => {
    const ask = async function* () {
      yield { token: '0' };
      throw new Error('the password is 1234');
    };
    const harness = openBoard({ ask });
    const ann = await harness.connect('ann');
    expect((await ann.answer(iterate(ann, 10))).slice(2)).toEqual(['handler_failed', 'the handler failed', true]);
    expect(harness.errors).toHaveLength(1);
  });

  it('does not give an output that its schema refuses', async () => {
    const ask = async function* () {
      yield { token: '0' };
      return 'many';
    };
    const harness = openBoard({ ask });
    const ann = await harness.connect('ann');
    expect(await ann.codeOf(iterate(ann, 10))).toBe('handler_failed');
    expect(harness.errors).toMatchObject([{ error: { code: 'validation_failed' } }]);
  });
});

describe('what ends a streamed answer', () => {
  /** A handler that waits, in the middle of a part or between two. */
  async function setUp(credit: number, timeoutMs = 0) {
    const seen = { signal: null as AbortSignal | null, closed: 0, go: (): void => {} };
    const ask = async function* ({ signal }: { signal: AbortSignal }) {
      seen.signal = signal;
      try {
        yield { token: '0' };
        await new Promise<void>((resolve) => (seen.go = resolve));
        yield { token: '1' };
        return 2;
      } finally {
        seen.closed += 1;
      }
    };
    const harness = openBoard({ ask });
    const ann = await harness.connect('ann');
    const id = iterate(ann, credit, { timeoutMs });
    await turn();
    return { harness, ann, id, seen };
  }

  const ends: [
    string,
    (of: { harness: Harness; ann: TestClient; id: number }) => Promise<void> | void,
    string | null,
  ][] = [
    ['a cancel', ({ ann, id }) => ann.send([Type.cancel, id]), 'canceled'],
    ['a close', ({ ann }) => close(ann), null],
    ['a kick', ({ harness }) => harness.app.users.sessionsOf('ann')[0]?.info.kick(), null],
  ];

  it.each(ends)('%s ends the handler that waits to be asked', async (_, end, code) => {
    const { harness, ann, id, seen } = await setUp(1);
    await end({ harness, ann, id });
    await turn();
    expect(seen).toMatchObject({ closed: 1, signal: { aborted: true } });
    expect(ann.answers(id).map(([, , of]) => of)).toEqual(code === null ? [] : [code]);
    expect(harness.clock.pending).toBe(0);
    expect(harness.app.stats.calls).toBe(0);
    expect(harness.errors).toEqual([]);
  });

  it.each(ends)('%s ends the handler that works on a part, which is not sent', async (_, end, code) => {
    const { harness, ann, id, seen } = await setUp(10);
    await end({ harness, ann, id });
    await turn();
    expect(seen.signal?.aborted).toBe(true);
    seen.go();
    await turn();
    expect(seen.closed).toBe(1);
    expect(partsOf(ann, id)).toEqual(tokens(1));
    expect(ann.answers(id)).toHaveLength(code === null ? 0 : 1);
    expect(harness.errors).toEqual([]);
  });

  it('a cancel ends one that was not begun, and what a late handler gives is closed', async () => {
    let give = (_: unknown): void => {};
    let canceled = 0;
    const harness = openBoard({ tail: () => new Promise((resolve) => (give = resolve)) });
    const ann = await harness.connect('ann');
    const id = iterate(ann, 10, { method: 'tail' });
    await turn();
    ann.send([Type.cancel, id]);
    give(new ReadableStream({ pull: (to) => to.enqueue(new Date()), cancel: () => void canceled++ }));
    expect(await ann.codeOf(id)).toBe('canceled');
    expect(canceled).toBe(1);
    expect(partsOf(ann, id)).toEqual([]);
  });

  it('a cancel ends a source that would never give another part', async () => {
    const emitter = new EventEmitter();
    const harness = openBoard({ tail: () => on(emitter, 'part') });
    const ann = await harness.connect('ann');
    const id = iterate(ann, 10, { method: 'tail' });
    await turn();
    expect(emitter.listenerCount('part')).toBe(1);
    ann.send([Type.cancel, id]);
    await turn();
    expect(emitter.listenerCount('part')).toBe(0);
    expect(harness.errors).toEqual([]);
  });

  it('a cancel leaves nobody waiting for a slow client', async () => {
    const ann = await openBoard(counting(5)).connect('ann');
    ann.congested = true;
    const { session } = ann;
    let waiting = 0;
    const whenDrained = session.whenDrained.bind(session);
    session.whenDrained = (run) => {
      waiting += 1;
      const callOff = whenDrained(run);
      return () => {
        waiting -= 1;
        callOff();
      };
    };
    const ids = Array.from({ length: 10 }, () => iterate(ann, 10));
    await turn();
    expect(waiting).toBe(10);
    for (const id of ids) ann.send([Type.cancel, id]);
    await turn();
    expect(waiting).toBe(0);
  });

  it('a cancel reaches a handler that waits for a slow client', async () => {
    const { ask, log } = counting(5);
    const harness = openBoard({ ask });
    const ann = await harness.connect('ann');
    const id = iterate(ann, 10);
    await turn();
    const slow = iterate(ann, 10);
    ann.congested = true;
    await turn();
    ann.send([Type.cancel, slow]);
    await turn();
    expect(harness.app.stats.calls).toBe(0);
    expect(log.filter((what) => what === 'closed')).toHaveLength(1);
    ann.drain();
    await turn();
    expect(await ann.codeOf(slow)).toBe('canceled');
    expect(await ann.codeOf(id)).toBeNull();
  });

  it('its time, when no part comes while the client has room for one', async () => {
    const { harness, ann, id, seen } = await setUp(10, 500);
    await harness.clock.advance(499);
    expect(ann.answers(id)).toEqual([]);
    await harness.clock.advance(1);
    expect(await ann.codeOf(id)).toBe('timeout');
    expect(seen.signal?.aborted).toBe(true);
  });

  it('its time, counted anew from when the client has room again', async () => {
    const { harness, ann, id } = await setUp(1, 500);
    await harness.clock.advance(60_000);
    allow(ann, id, 1);
    await turn();
    await harness.clock.advance(499);
    expect(ann.answers(id)).toEqual([]);
    await harness.clock.advance(1);
    expect(await ann.codeOf(id)).toBe('timeout');
  });

  it('its time does not, while the client has room for none', async () => {
    const { harness, ann, id, seen } = await setUp(1, 500);
    await harness.clock.advance(60_000);
    expect(ann.answers(id)).toEqual([]);
    allow(ann, id, 1);
    await harness.clock.advance(499);
    expect(ann.answers(id)).toEqual([]);
    seen.go();
    await turn();
    // Its last part is out, and the next wait is for more credit again.
    await harness.clock.advance(60_000);
    allow(ann, id, 1);
    expect(await ann.answer(id)).toEqual([Type.result, id, 2]);
  });

  it('a handler that ends its own session from within', async () => {
    let closed = 0;
    const tail = function* ({ session }: { session: { kick(): void } }) {
      try {
        session.kick();
        yield new Date();
      } finally {
        closed += 1;
      }
    };
    const harness = openBoard({ tail });
    const ann = await harness.connect('ann');
    iterate(ann, 10, { method: 'tail' });
    await turn();
    expect(closed).toBe(1);
    expect(harness.errors).toEqual([]);
  });

  it('tells the app of a handler that throws when it is told to stop', async () => {
    const ask = async function* () {
      try {
        yield { token: '0' };
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: that is what is tried
        throw new Error('cannot stop');
      }
    };
    const harness = openBoard({ ask });
    const ann = await harness.connect('ann');
    const id = iterate(ann, 1);
    await turn();
    ann.send([Type.cancel, id]);
    expect(await ann.codeOf(id)).toBe('canceled');
    expect(harness.errors).toMatchObject([{ error: { message: 'cannot stop' }, context: { method: 'ask' } }]);
  });

  it('authorize, asked again, where it refuses now', async () => {
    let allowed = true;
    const { ask, log } = counting(10);
    const harness = openBoard({ ask, authorize: () => allowed });
    const ann = await harness.connect('ann');
    const id = iterate(ann, 2);
    await turn();
    const [of] = harness.app.users.sessionsOf('ann');
    if (of === undefined) throw new Error('no session');
    await harness.app.reauthorize(of);
    expect(ann.answers(id)).toEqual([]);
    allowed = false;
    await harness.app.reauthorize(of);
    expect(await ann.codeOf(id)).toBe('forbidden');
    expect(log.at(-1)).toBe('closed');
  });
});

describe('a request', () => {
  it.each([
    ['ask', undefined, 'the answer to ask of board/:boardId is streamed: ask with iterate(), not request()'],
    ['find', 5, 'the answer to find of board/:boardId comes in one piece: ask with request(), not iterate()'],
    ['$snapshot', 5, 'the answer to $snapshot comes in one piece: ask with request(), not iterate()'],
  ])('of %s with credit %s is told how to ask', async (method, credit, message) => {
    const ann = await openBoard().connect('ann');
    const id = credit === undefined ? ann.request('board/a', method, '') : iterate(ann, credit, { method });
    expect((await ann.answer(id)).slice(2)).toEqual(['unknown_method', message, false]);
  });

  it('that is not streamed, or not there, takes no notice of what is allowed', async () => {
    const ann = await openBoard({ find: () => new Promise(() => {}) }).connect('ann');
    allow(ann, ann.request('board/a', 'find', ''), 5);
    allow(ann, 77, 5);
    await turn();
    expect(ann.session.ended).toBeNull();
    expect(tokensOf(ann, 77)).toEqual([]);
  });
});
