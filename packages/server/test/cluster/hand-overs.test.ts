import {
  type Answer,
  type Attach,
  DEFAULT_LIMITS,
  type Identity,
  type LinkPort,
  type ServerSession,
  SessionRegistry,
  Type,
} from '@runnel/protocol';
import { describe, expect, it } from 'vitest';
import { AppSession } from '../../src/app-session.ts';
import { memoryBroker } from '../../src/brokers/memory.ts';
import type { EstateNews } from '../../src/cluster/departures.ts';
import type { FormerNode } from '../../src/cluster/former-node.ts';
import { type HandOverQuestion, HandOvers } from '../../src/cluster/hand-overs.ts';
import { Post } from '../../src/cluster/post.ts';
import { SessionEstate } from '../../src/cluster/session-estate.ts';
import { Encoder } from '../../src/encoder.ts';
import { ResumeKeys } from '../../src/keys.ts';
import { type SharedLine, sharedLine } from '../../src/shared-line.ts';
import { turn, VirtualClock } from '../virtual-clock.ts';
import { LocalPost } from './local-post.ts';

const SECRET = 'of random origin, as we all know';

/** A node that has sessions and nothing above them. */
class Node {
  readonly registry: SessionRegistry<SharedLine, Identity>;
  readonly handOvers: HandOvers<Identity>;
  readonly post: Post;
  readonly name: string;
  /** Where the session was that came last. */
  former: FormerNode | null = null;
  readonly #clock: VirtualClock;

  constructor(name: string, wire: LocalPost, clock: VirtualClock) {
    this.name = name;
    this.#clock = clock;
    const keys = new ResumeKeys({ node: name, secret: SECRET });
    let ids = 0;
    this.registry = new SessionRegistry<SharedLine, Identity>({
      node: name,
      limits: DEFAULT_LIMITS,
      transports: ['websocket', 'stream', 'poll'],
      sessionsMax: 10,
      settleMs: 0,
      app: {
        created: (_, __, settled) => settled(),
        frame() {},
        confirmed() {},
        resumed() {},
        reachable() {},
        ended() {},
      },
      now: () => clock.now(),
      newId: () => `${name}${++ids}`,
      issueKey: (sid) => keys.issueKey(sid),
      readKey: (key) => keys.readKey(key),
      line: sharedLine,
      onWork: () => {},
    });
    this.post = new Post({
      ...{ node: name, nodes: wire, clock },
      answer: ({ body, from }) => this.handOvers.answer(body as HandOverQuestion, from),
      hear: (news, from) => this.handOvers.hear(news as EstateNews, from),
      onNodes: () => {},
      onError: (error) => expect.unreachable(String(error)),
    });
    const { registry, post } = this;
    const encoder = new Encoder(DEFAULT_LIMITS);
    this.handOvers = new HandOvers<Identity>({
      ...{ node: name, post, clock, registry },
      readKey: (key) => keys.readKey(key),
      turn: (run) => run(clock.now()),
      onError: (error) => expect.unreachable(String(error)),
      application: {
        handOver: (session, options) => ({
          record: { subscriptions: [], calls: [], elsewhere: [], busy: [], presence: [] },
          estate: new SessionEstate<Identity>(new AppSession(session, { encoder, clock, onCallSettled() {} }), {
            ...{ broker: memoryBroker(), clock, arrived: () => {} },
            ...options,
          }),
        }),
        adopt: async (_, __, from) => {
          this.former = from;
        },
        relayed: (session, { lines }) => {
          for (const text of lines) session.enqueue(sharedLine(text));
        },
        callFrame: () => {},
      },
    });
  }

  /** A session of a WebSocket. */
  create(gen = 1): ServerSession<SharedLine, Identity> {
    this.attach({ gen });
    return [...this.registry.sessions()].at(-1) as ServerSession<SharedLine, Identity>;
  }

  attach(fields: Partial<Attach>, id = 'ann'): void {
    const attach: Attach = { v: 1, cid: 'c', gen: 1, rx: 0, mode: 'websocket', ...fields };
    const link = this.registry.connect(new Port(), this.#clock.now());
    this.registry.attach(attach, { id }, { link }, this.#clock.now());
  }

  take(gen: number, key: string, user = 'ann', node?: string): Promise<unknown> {
    return this.handOvers.take({ gen, key, node } as Attach, { id: user });
  }
}

class Port implements LinkPort<SharedLine> {
  readonly transport = 'websocket';
  readonly congested = false;
  readonly lines: string[] = [];
  write(lines: readonly SharedLine[]): void {
    this.lines.push(...lines.map(({ text }) => text));
  }
  end(): void {}
}

async function cluster(): Promise<{ wire: LocalPost; clock: VirtualClock; a: Node; b: Node; c: Node }> {
  const clock = new VirtualClock();
  const wire = new LocalPost();
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Node(name, wire, clock)) as [Node, Node, Node];
  for (const { post } of [a, b, c]) await post.open();
  return { wire, clock, a, b, c };
}

const line = (n: number): SharedLine => sharedLine(`[19,${n}]`);

describe('a hand-over', () => {
  it('moves counters and outbox, and leaves nothing behind that counts', async () => {
    const { a, b } = await cluster();
    const session = a.create();
    for (const n of [0, 1, 2]) session.enqueue(line(n));
    session.acknowledge(1, 0);
    session.handleFrame([Type.request, 1, 'c', 'm', null], 10, 0);
    expect(await b.take(2, session.key)).toBeNull();
    const moved = b.registry.session(session.sid);
    expect(moved?.ledger).toMatchObject({ rx: 1, acked: 1, ob: 1, tx: 3 });
    expect(moved).toMatchObject({ gen: 1, key: session.key, client: session.client, cid: 'c', confirmed: true });
    expect(a.registry.size).toBe(0);
    expect(session.ended).not.toBeNull();
  });

  it('ends what the owner held, naming the generation that it was asked for', async () => {
    const { a, b } = await cluster();
    const answered: string[] = [];
    const answer: Answer<SharedLine> = { end: (lines) => answered.push(...lines.map(({ text }) => text)) };
    const attach: Attach = { v: 1, cid: 'c', gen: 1, rx: 0, mode: 'poll', hold: 10_000 };
    a.registry.attach(attach, { id: 'ann' }, { answer }, 0);
    const [session] = a.registry.sessions();
    expect(await b.take(7, session?.key ?? '')).toBeNull();
    expect(answered).toEqual(['[8,7]']);
  });

  it('relays what is still sent at the old owner, in order and once', async () => {
    const { a, b } = await cluster();
    const session = a.create();
    session.enqueue(line(0));
    await b.take(2, session.key);
    for (const n of [1, 2]) session.enqueue(line(n));
    await turn();
    const moved = b.registry.session(session.sid);
    expect(moved?.ledger.slice(0).map(({ text }) => text)).toEqual(['[19,0]', '[19,1]', '[19,2]']);
    expect(session.ledger.tx).toBe(1);
  });

  it('relays on to where the session has gone since', async () => {
    const { a, b, c } = await cluster();
    const session = a.create();
    await b.take(2, session.key);
    b.attach({ gen: 2, key: session.key });
    await c.take(3, session.key, 'ann', 'b');
    session.enqueue(line(0));
    await turn();
    expect(c.registry.session(session.sid)?.ledger.tx).toBe(1);
  });

  it('is refused to another user, who is told of no session', async () => {
    const { a, b } = await cluster();
    const session = a.create();
    expect(await b.take(2, session.key, 'eve')).toBeNull();
    expect(b.registry.size).toBe(0);
    expect(a.registry.size).toBe(1);
  });

  it.each([
    [3, 2],
    [3, 3],
  ])('is refused by an owner of generation %i to an attach of generation %i', async (gen, asked) => {
    const { a, b } = await cluster();
    const session = a.create(gen);
    expect(await b.take(asked, session.key)).toEqual([Type.fenced, gen]);
    expect(a.registry.size).toBe(1);
  });

  it('follows tombstones, of rising generations only', async () => {
    const { a, b, c } = await cluster();
    const session = a.create();
    await b.take(5, session.key);
    b.attach({ gen: 5, key: session.key });
    expect(await c.take(4, session.key)).toEqual([Type.fenced, 5]);
    expect(await c.take(6, session.key)).toBeNull();
    expect(c.registry.session(session.sid)).toBeDefined();
    expect(b.registry.size).toBe(0);
  });

  it('brings a session back', async () => {
    const { a, b } = await cluster();
    const session = a.create();
    await b.take(2, session.key);
    b.attach({ gen: 2, key: session.key });
    expect(await a.take(3, session.key, 'ann', 'b')).toBeNull();
    expect(a.registry.session(session.sid)).toBeDefined();
    expect(b.registry.size).toBe(0);
  });

  it('is told the code of a session that has ended for good', async () => {
    const { a, b, clock } = await cluster();
    const session = a.create();
    session.end('kicked', 'enough', clock.now());
    expect(await b.take(2, session.key)).toEqual([Type.goaway, 'kicked', expect.any(String), 0, 2]);
  });

  it('takes a node that is not alive for one without sessions, and one that says nothing for one that may have it', async () => {
    const { a, b, wire, clock } = await cluster();
    const session = a.create();
    wire.fate = () => [];
    const silent = b.take(2, session.key);
    await clock.advance(10_000);
    expect(await silent).toEqual([Type.retry, 2, expect.any(Number)]);
    wire.drop('a');
    wire.fate = (text) => [text];
    expect(await b.take(3, session.key)).toBeNull();
  });

  it('asks once at a time: a later attach waits for an earlier one, an earlier one is fenced by a later one', async () => {
    const { a, b, wire } = await cluster();
    const session = a.create();
    wire.holds = true;
    const second = b.take(2, session.key);
    await turn();
    const third = b.take(3, session.key);
    const first = b.take(1, session.key);
    expect(await first).toEqual([Type.fenced, 2]);
    wire.holds = false;
    wire.deliver();
    expect(await Promise.all([second, third])).toEqual([null, null]);
    expect(b.registry.size).toBe(1);
  });

  it('is fenced where a later attach elsewhere has waited for the session, and takes it on at once', async () => {
    const { a, b, c, wire } = await cluster();
    const session = a.create();
    wire.holds = true;
    const second = b.take(2, session.key);
    await turn();
    const third = c.take(3, session.key, 'ann', 'b');
    for (let n = 0; n < 4; n += 1) {
      await turn();
      wire.deliver();
    }
    expect(await Promise.all([second, third])).toEqual([[Type.fenced, 3], null]);
    expect(c.registry.session(session.sid)).toBeDefined();
  });

  it('between two nodes that ask each other goes to the higher generation, and of equal ones to the lower name', async () => {
    for (const [genOfA, genOfB, winner] of [
      [3, 2, 'a'],
      [2, 3, 'b'],
      [3, 3, 'a'],
    ] as const) {
      const { a, b, c, wire } = await cluster();
      const session = c.create();
      // Each takes the other for the owner.
      wire.holds = true;
      const asked = [a.take(genOfA, session.key, 'ann', 'b'), b.take(genOfB, session.key, 'ann', 'a')] as const;
      await turn();
      wire.holds = false;
      wire.deliver();
      const [toA, toB] = await Promise.all(asked);
      const fenced = [Type.fenced, Math.max(genOfA, genOfB)];
      expect(winner === 'a' ? toB : toA).toEqual(fenced);
    }
  });

  it('leaves publishes behind that are waited for: again where nothing is heard, and not where the node is gone', async () => {
    const { a, b, wire, clock } = await cluster();
    await b.take(2, a.create().key);
    const freed: string[] = [];
    const wait = (channel: string) => void b.former?.whenFree(channel).then(() => freed.push(channel));
    const asked: string[] = [];
    wire.fate = (text) => {
      if (!text.includes('"free"')) return [text];
      asked.push(text);
      return asked.length === 1 ? [] : [text];
    };
    wait('asked again');
    await turn();
    expect(freed).toEqual([]);
    await clock.advance(5_000);
    await clock.advance(300);
    await turn();
    expect([freed, asked.length]).toEqual([['asked again'], 2]);
    wire.fate = () => [];
    wait('gone');
    await turn();
    wire.drop('a');
    await turn();
    expect(freed).toEqual(['asked again', 'gone']);
  });

  it('of a key that was not signed by the nodes asks nobody', async () => {
    const { a, b } = await cluster();
    const session = a.create();
    expect(await b.take(2, `${session.key}x`)).toBeNull();
    expect(a.registry.size).toBe(1);
  });
});

describe('a session that nobody knows of who should', () => {
  /** It went from a, which is gone, to b; its client, who has not heard of that, comes to c. */
  async function astray() {
    const nodes = await cluster();
    const session = nodes.a.create();
    await nodes.b.take(2, session.key);
    nodes.b.attach({ gen: 2, key: session.key });
    nodes.wire.drop('a');
    return { ...nodes, session };
  }

  it('is found where it lives', async () => {
    const { b, c, session } = await astray();
    expect(await c.take(3, session.key, 'ann', 'a')).toBeNull();
    expect(c.registry.session(session.sid)).toBeDefined();
    expect(b.registry.size).toBe(0);
  });

  it('is found where it went on to', async () => {
    const { b, c, clock, session, wire } = await astray();
    const d = new Node('d', wire, clock);
    await d.post.open();
    await c.take(3, session.key, 'ann', 'b');
    c.attach({ gen: 3, key: session.key });
    expect(b.handOvers.ownerOf(session.key, { hint: undefined, forwarded: true })).toBe('c');
    expect(await d.take(4, session.key, 'ann', 'a')).toBeNull();
    expect(d.registry.session(session.sid)).toBeDefined();
  });

  it('is known where it is on its way to, should the node be gone by then that gave it', async () => {
    const { a, b, wire } = await cluster();
    const session = a.create();
    wire.holds = true;
    const taken = b.take(2, session.key);
    const question = { ask: 'search', sids: ['other', session.sid] } as const;
    expect(b.handOvers.answer(question, 'c')).toEqual([[session.sid, 'b']]);
    while (b.registry.size === 0) {
      await turn();
      wire.deliver();
    }
    expect(await taken).toBeNull();
  });

  it('is not lost before all who are alive have said that they do not have it', async () => {
    const { b, c, clock, session, wire } = await astray();
    wire.fate = (text, to) => (to === 'b' ? [] : [text]);
    const unsaid = c.take(3, session.key, 'ann', 'a');
    await turn();
    await clock.advance(1_000);
    expect(await unsaid).toEqual([Type.retry, 3, expect.any(Number)]);
    wire.drop('b');
    expect(await c.take(4, session.key, 'ann', 'a')).toBeNull();
    expect([b.registry.size, c.registry.size]).toEqual([1, 0]);
  });

  it('is told to have ended, by the node where it did', async () => {
    const { b, c, clock, session } = await astray();
    b.registry.session(session.sid)?.end('kicked', 'enough', clock.now());
    expect(await c.take(3, session.key, 'ann', 'a')).toEqual([Type.goaway, 'kicked', expect.any(String), 0, 3]);
  });

  it('is looked for together with all others: two questions to each node, however many they are', async () => {
    const { a, b, c, wire } = await cluster();
    const keys = Array.from({ length: 10 }, (_, n) => {
      a.attach({ gen: 1, cid: `c${n}` });
      return [...a.registry.sessions()].at(-1)?.key ?? '';
    });
    for (const key of keys) await b.take(2, key);
    wire.drop('a');
    const asked: string[] = [];
    wire.fate = (text, to) => {
      if (text.includes('"search"')) asked.push(to);
      return [text];
    };
    wire.holds = true;
    const taken = keys.map((key) => c.take(3, key, 'ann', 'a'));
    while (c.registry.size < keys.length) {
      await turn();
      wire.deliver();
    }
    expect(await Promise.all(taken)).toEqual(keys.map(() => null));
    expect(asked).toEqual(['b', 'b']);
  });
});
