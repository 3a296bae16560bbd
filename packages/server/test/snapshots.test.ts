import { channel, type DownFrame, defineContract, RunnelError, Type } from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import type { Broker } from '../src/brokers/broker.ts';
import { memoryBroker } from '../src/brokers/memory.ts';
import { Harness, type HarnessOptions, type TestClient, type TestUser } from './harness.ts';
import { count, schema } from './schemas.ts';
import { turn, VirtualClock } from './virtual-clock.ts';

/** In: a number. Out: its text. */
const Total = schema<string, number>((value) => {
  if (typeof value !== 'number') throw new Error('expected a number');
  return `total ${value}`;
});

const contract = defineContract({
  'board/:boardId': channel({ events: { added: count }, snapshot: Total, history: { size: 5, ttl: '1h' } }),
  'log/:boardId': channel({ events: { added: count }, snapshot: Total, history: { size: 1_000, ttl: '1h' } }),
  'state/:boardId': channel({ events: { added: count }, snapshot: Total }),
  text: channel({ events: { added: count }, snapshot: schema<string>((value) => value as string) }),
});
type Pattern = keyof typeof contract;

interface Asked {
  readonly user: TestUser;
  readonly params: { readonly boardId: string };
  readonly channel: { readonly name: string };
  readonly session: { readonly client: string };
  readonly signal: AbortSignal;
}

/** What the snapshot handlers were asked, and what answers them. */
class Snapshots {
  readonly asked: Asked[] = [];
  /** Called for each; default: the sum of what was added. */
  answer: (asked: Asked, call: number) => unknown = () => this.total;
  total = 0;

  readonly handler = (asked: Asked): unknown => {
    this.asked.push(asked);
    return this.answer(asked, this.asked.length);
  };
}

function setUp(options: HarnessOptions = {}) {
  const harness = new Harness({ contract, ...options });
  const snapshots = new Snapshots();
  const access = { allowed: true };
  for (const pattern of Object.keys(contract)) {
    harness.app.handlers.add(pattern, { authorize: () => access.allowed, snapshot: snapshots.handler });
  }
  const add = async (pattern: Exclude<Pattern, 'text'>, data: number) => {
    snapshots.total += data;
    await harness.app.channel(pattern, { boardId: 'a' }).broadcast('added', data);
  };
  return { harness, snapshots, add, access };
}

/** A promise that is settled from outside. */
function deferred<T>() {
  const settle: { resolve: (value: T) => void; reject: (error: unknown) => void } = { resolve() {}, reject() {} };
  const promise = new Promise<T>((resolve, reject) => Object.assign(settle, { resolve, reject }));
  return { promise, ...settle };
}

const subscribed = (client: TestClient) => client.ofType(Type.subscribed).at(-1)?.[2];
/** What came of channel messages: offsets, and snapshots. */
function told(client: TestClient): unknown[] {
  const shown = (frame: DownFrame): unknown[] => {
    if (frame[0] === Type.message) return [frame[2]];
    return frame[0] === Type.snapshot ? [frame[2]] : [];
  };
  return client.frames.flatMap(shown);
}
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('a snapshot', () => {
  it('follows the answer of a subscription that begins, before what comes after', async () => {
    const { harness, add } = setUp();
    await add('board/:boardId', 3);
    const ann = await harness.connect('ann', [[1, 'board/a', {}]]);
    expect(subscribed(ann)).toMatchObject({ offset: 1, head: 1, recovered: null });
    await add('board/:boardId', 4);
    await turn();
    expect(ann.frames.map(([type]) => type).slice(1)).toEqual([Type.subscribed, Type.snapshot, Type.message]);
    expect(told(ann)).toEqual(['total 3', 2]);
  });

  it('is asked for with who wants it, and of which channel', async () => {
    const { harness, snapshots } = setUp();
    const ann = await harness.connect({ id: 'ann', name: 'Ann' }, [[1, 'board/a', {}]]);
    expect(snapshots.asked).toMatchObject([
      {
        user: { id: 'ann', name: 'Ann' },
        params: { boardId: 'a' },
        channel: { name: 'board/a' },
        session: { client: ann.session.client },
      },
    ]);
    expect(snapshots.asked[0]?.signal.aborted).toBe(false);
    expect(harness.clock.pending).toBe(0);
  });

  it('is not read where nothing was missed, or all that was missed follows', async () => {
    const { harness, snapshots, add } = setUp();
    for (const data of [1, 2, 3]) await add('board/:boardId', data);
    const { epoch } = await harness.broker.read('board/a', { limit: 0 });
    const ann = await harness.connect('ann', [[1, 'board/a', { since: { epoch, offset: 3 } }]]);
    const bob = await harness.connect('bob', [[1, 'board/a', { since: { epoch, offset: 1 } }]]);
    expect(subscribed(ann)).toMatchObject({ offset: 3, recovered: true });
    expect(subscribed(bob)).toMatchObject({ offset: 1, recovered: true });
    expect([told(ann), told(bob)]).toEqual([[], [2, 3]]);
    expect(snapshots.asked).toEqual([]);
  });

  it.each(['board/:boardId', 'state/:boardId'] as const)(
    'takes the place of what can no longer be recovered of %s',
    async (pattern) => {
      const { harness, add } = setUp();
      const name = pattern.replace(':boardId', 'a');
      const bob = await harness.connect('bob', [[1, name, {}]]);
      for (const data of upTo(10)) await add(pattern, data);
      const { epoch = '' } = subscribed(bob) ?? {};
      const ann = await harness.connect('ann', [[1, name, { since: { epoch, offset: 1 } }]]);
      expect(subscribed(ann)).toMatchObject({ epoch, offset: 10, head: 10, recovered: false });
      expect(told(ann)).toEqual(['total 55']);
      await add(pattern, 1);
      await turn();
      expect(told(ann)).toEqual(['total 55', 11]);
    },
  );

  it('is the same for a position of another life of the log', async () => {
    const { harness, add } = setUp();
    await add('board/:boardId', 3);
    const ann = await harness.connect('ann', [[1, 'board/a', { since: { epoch: 'old', offset: 40 } }]]);
    expect(subscribed(ann)).toMatchObject({ offset: 1, recovered: false });
    expect(told(ann)).toEqual(['total 3']);
  });

  it('stands between the messages to rewind to and what came while it was read', async () => {
    const { harness, snapshots, add } = setUp();
    const reading = deferred<number>();
    for (const data of [1, 2, 3, 4]) await add('log/:boardId', data);
    snapshots.answer = () => reading.promise;
    const ann = await harness.connect('ann', [[1, 'log/a', { rewind: 2 }]]);
    for (const data of [5, 6]) await add('log/:boardId', data);
    expect(subscribed(ann)).toBeUndefined();
    reading.resolve(10);
    await turn();
    await add('log/:boardId', 7);
    await turn();
    expect(subscribed(ann)).toMatchObject({ offset: 2, head: 4, recovered: null });
    expect(told(ann)).toEqual([3, 4, 'total 10', 5, 6, 7]);
  });

  it('comes in fragments where it is longer than a line', async () => {
    const { harness, snapshots } = setUp();
    const long = 'ü'.repeat(100_000);
    snapshots.answer = () => long;
    const ann = await harness.connect('ann', [[1, 'text', {}]]);
    expect(told(ann)).toEqual([long]);
  });

  it('is not read for a session that takes nothing, until it does', async () => {
    const { harness, snapshots, add } = setUp();
    const ann = await harness.connect('ann');
    ann.congested = true;
    const id = ann.subscribe('state/a');
    await turn();
    await add('state/:boardId', 1);
    expect(snapshots.asked).toEqual([]);
    ann.drain();
    await ann.answer(id);
    expect(told(ann)).toEqual(['total 1']);
  });
});

describe('a snapshot for a session that has become slow while it was read', () => {
  it('waits, with the answer and what follows', async () => {
    const { harness, snapshots, add } = setUp();
    const ann = await harness.connect('ann');
    const { tx } = ann.session.ledger;
    snapshots.answer = () => {
      ann.congested = true;
      return 0;
    };
    ann.subscribe('state/a');
    await turn();
    await add('state/:boardId', 1);
    await turn();
    expect(snapshots.asked).toHaveLength(1);
    expect(ann.session.ledger.tx).toBe(tx);
    ann.drain();
    await turn();
    expect(subscribed(ann)).toMatchObject({ offset: 0 });
    expect(told(ann)).toEqual(['total 0', 1]);
  });
});

describe('snapshots of one session', () => {
  it('are read a few at a time, in order, however many are asked for', async () => {
    const { harness, snapshots } = setUp();
    const readings = Array.from({ length: 40 }, () => deferred<number>());
    snapshots.answer = (_, call) => readings[call - 1]?.promise;
    const names = upTo(40).map((i) => `state/${i}`);
    const ann = await harness.connect(
      'ann',
      names.map((name, i) => [i + 1, name, {}] as const),
    );
    expect(snapshots.asked).toHaveLength(16);
    ann.send([Type.unsubscribe, 'state/1']);
    ann.send([Type.unsubscribe, 'state/17']);
    await turn();
    expect(snapshots.asked.map(({ params }) => params.boardId)).toEqual([...upTo(16), 18].map(String));
    for (const [at, { resolve }] of readings.entries()) {
      resolve(at);
      await turn();
    }
    expect(ann.ofType(Type.subscribed)).toHaveLength(38);
    const bob = await harness.connect('bob', [[1, 'state/1', {}]]);
    expect(snapshots.asked).toHaveLength(40);
    expect(told(bob)).toEqual(['total 39']);
  });
});

describe('messages that come while a snapshot is read', () => {
  it.each(['log/:boardId', 'state/:boardId'] as const)('follow it, each once (%s)', async (pattern) => {
    const { harness, snapshots, add } = setUp();
    const reading = deferred<number>();
    snapshots.answer = () => reading.promise;
    const ann = await harness.connect('ann', [[1, pattern.replace(':boardId', 'a'), {}]]);
    for (const data of upTo(5)) await add(pattern, data);
    reading.resolve(0);
    await turn();
    await add(pattern, 6);
    await turn();
    expect(subscribed(ann)).toMatchObject({ offset: 0, head: 0 });
    expect(told(ann)).toEqual(['total 0', ...upTo(6)]);
  });

  it('are read from the log where they are more than are kept', async () => {
    const { harness, snapshots, add } = setUp();
    const reading = deferred<number>();
    snapshots.answer = () => reading.promise;
    const ann = await harness.connect('ann', [[1, 'log/a', {}]]);
    for (const data of upTo(700)) await add('log/:boardId', data);
    reading.resolve(0);
    await turn();
    expect(told(ann)).toEqual(['total 0', ...upTo(700)]);
    expect(snapshots.asked).toHaveLength(1);
  });

  it('make it out of date where there is no log and they are more than are kept: another is read', async () => {
    const { harness, snapshots, add } = setUp();
    snapshots.answer = async (_, call) => {
      const { total } = snapshots;
      if (call === 1) for (const data of upTo(300)) await add('state/:boardId', data);
      return total;
    };
    const ann = await harness.connect('ann', [[1, 'state/a', {}]]);
    await turn();
    await add('state/:boardId', 1);
    await turn();
    expect(subscribed(ann)).toMatchObject({ offset: 300, head: 300 });
    expect(told(ann)).toEqual([`total ${150 * 301}`, 301]);
    expect(ann.answers(1)).toHaveLength(1);
  });

  it('make the server refuse the subscription for now, where that does not end', async () => {
    const { harness, snapshots, add } = setUp();
    snapshots.answer = async () => {
      for (const data of upTo(300)) await add('state/:boardId', data);
      return 0;
    };
    const ann = await harness.connect('ann', [[1, 'state/a', {}]]);
    await turn();
    expect(await ann.answer(1)).toMatchObject([Type.error, 1, 'overloaded', expect.any(String), true]);
    expect(snapshots.asked).toHaveLength(3);
    expect(harness.app.stats).toMatchObject({ channels: 0, subscriptions: 0 });
  });

  it('belong to another life of the log, maybe: then another is read', async () => {
    const clock = new VirtualClock();
    let lives = 0;
    const next = (): Broker => memoryBroker({ clock, newId: () => `life${++lives}` });
    let inner = next();
    const broker: Broker = {
      publish: (...args) => inner.publish(...args),
      send: (...args) => inner.send(...args),
      read: (...args) => inner.read(...args),
      heads: (...args) => inner.heads(...args),
      subscribe: (...args) => inner.subscribe(...args),
      unsubscribe: (...args) => inner.unsubscribe(...args),
      close: () => inner.close(),
    };
    const { harness, snapshots, add } = setUp({ broker });
    for (const data of [1, 2, 3]) await add('log/:boardId', data);
    snapshots.answer = async (_, call) => {
      if (call === 1) {
        inner = next();
        await add('log/:boardId', 4);
      }
      return snapshots.total;
    };
    const ann = await harness.connect('ann', [[1, 'log/a', { rewind: 5 }]]);
    expect(subscribed(ann)).toMatchObject({ epoch: expect.stringContaining('life2'), offset: 0, head: 1 });
    expect(told(ann)).toEqual([1, 'total 10']);
  });
});

describe('a snapshot handler', () => {
  const refused = async (answer: Snapshots['answer'], options: HarnessOptions = {}) => {
    const { harness, snapshots } = setUp(options);
    snapshots.answer = answer;
    const ann = await harness.connect('ann');
    const code = await ann.codeOf(ann.subscribe('state/a'));
    expect(harness.app.stats).toMatchObject({ channels: 0, subscriptions: 0 });
    return { code, errors: harness.errors, ann };
  };
  const context = { during: 'subscribe', channel: 'state/a', user: 'ann' };

  it('that throws costs the subscription, and the app is told', async () => {
    const { code, errors } = await refused(() => Promise.reject(new Error('no database')));
    expect(code).toBe('handler_failed');
    expect(errors).toMatchObject([{ error: { message: 'no database' }, context }]);
  });

  it('may refuse with a code of ours', async () => {
    const { code, errors } = await refused(() => {
      throw new RunnelError('forbidden', 'not this one');
    });
    expect(code).toBe('forbidden');
    expect(errors).toEqual([]);
  });

  it.each([
    ['is not what is declared', 'a text', 'validation_failed'],
    ['is too large', 1, 'payload_too_large'],
  ])('is told of when what it returns %s, and the client is told nothing of it', async (_, given, code) => {
    const limits = code === 'payload_too_large' ? { messageBytes: 5 } : {};
    const { code: told, errors } = await refused(() => given, { limits });
    expect(told).toBe('handler_failed');
    expect(errors).toMatchObject([{ error: { code }, context }]);
  });

  it('has a time limit', async () => {
    const { harness, snapshots } = setUp({ application: { handlerMs: 500 } });
    snapshots.answer = () => new Promise(() => {});
    const ann = await harness.connect('ann');
    const id = ann.subscribe('state/a');
    await turn();
    await harness.advance(499);
    expect(ann.answers(id)).toEqual([]);
    await harness.advance(1);
    expect(await ann.codeOf(id)).toBe('timeout');
    expect(snapshots.asked[0]?.signal.reason).toMatchObject({ code: 'timeout' });
  });

  it.each(['unsubscribe', 'end', 'replace', 'revoke'] as const)(
    'is told to stop when nobody waits for it any more: %s',
    async (how) => {
      const { harness, snapshots, add, access } = setUp();
      const reading = deferred<number>();
      snapshots.answer = (_, call) => (call === 1 ? reading.promise : 7);
      const ann = await harness.connect('ann');
      const id = ann.subscribe('state/a');
      await turn();
      expect(harness.clock.pending).toBe(1);
      if (how === 'unsubscribe') ann.send([Type.unsubscribe, 'state/a']);
      else if (how === 'end') ann.send([Type.goaway, 'closed', '', 0]);
      else if (how === 'replace') ann.subscribe('state/a');
      else {
        access.allowed = false;
        for (const of of harness.app.users.sessionsOf('ann')) await harness.app.reauthorize(of);
      }
      await turn();
      expect(snapshots.asked[0]?.signal.reason).toMatchObject({ code: 'canceled' });
      expect(harness.clock.pending).toBe(0);
      reading.resolve(5);
      await add('state/:boardId', 1);
      await turn();
      if (how !== 'end') expect(await ann.codeOf(id)).toBe(how === 'revoke' ? 'forbidden' : 'canceled');
      expect(told(ann)).toEqual(how === 'replace' ? ['total 7', 1] : []);
      expect(harness.app.stats).toMatchObject({ subscriptions: how === 'replace' ? 1 : 0 });
      expect(harness.errors).toEqual([]);
    },
  );
});
