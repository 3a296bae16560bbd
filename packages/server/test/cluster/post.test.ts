import { describe, expect, it } from 'vitest';
import { Post, type Question } from '../../src/cluster/post.ts';
import { turn, VirtualClock } from '../virtual-clock.ts';
import { LocalPost } from './local-post.ts';

interface Party {
  readonly post: Post;
  readonly heard: unknown[];
  readonly questions: Question[];
  readonly alive: string[][];
  readonly errors: unknown[];
}

async function parties(
  answer: (question: Question) => unknown = ({ body }) => body,
): Promise<{ clock: VirtualClock; wire: LocalPost; a: Party; b: Party }> {
  const clock = new VirtualClock();
  const wire = new LocalPost();
  const join = async (node: string): Promise<Party> => {
    const party = {
      heard: [] as unknown[],
      questions: [] as Question[],
      alive: [] as string[][],
      errors: [] as unknown[],
    };
    const post = new Post({
      ...{ node, nodes: wire, clock },
      answer: (question) => {
        party.questions.push(question);
        return answer(question);
      },
      hear: (body) => party.heard.push(body),
      onNodes: (alive) => party.alive.push([...alive]),
      onError: (error) => party.errors.push(error),
    });
    await post.open();
    return { ...party, post };
  };
  return { clock, wire, a: await join('a'), b: await join('b') };
}

const outcome = (asked: Promise<unknown>): Promise<unknown> => asked.catch((failure: unknown) => failure);

describe('the post between nodes', () => {
  it('brings questions and answers', async () => {
    const { a, b } = await parties(({ body, from }) => ({ body, from }));
    expect(await a.post.ask('b', { x: 1 }, { timeoutMs: 100 })).toEqual({ body: { x: 1 }, from: 'a' });
    expect(b.questions).toHaveLength(1);
  });

  it.each(['a', 'é', '語', '😀', '"', '\n'])(
    'brings letters that are longer than a message, whole, also beside others: %j',
    async (character) => {
      const { a, b } = await parties();
      const long = character.repeat(1_000_000);
      const asked = a.post.ask('b', long, { timeoutMs: 100 });
      a.post.tell('b', 'short');
      expect(await asked).toBe(long);
      expect(b.heard).toEqual(['short']);
    },
  );

  it('reads a letter of which a part came twice', async () => {
    const { wire, a } = await parties();
    wire.fate = (text) => (text.includes('"part":1,') ? [text, text] : [text]);
    expect(await a.post.ask('b', 'x'.repeat(1_000_000), { timeoutMs: 100 })).toBe('x'.repeat(1_000_000));
  });

  it('reads nothing into a letter of which a part was lost, and reads the next one', async () => {
    const { wire, a, b, clock } = await parties();
    wire.fate = (text) => (text.includes('"part":1,') ? [] : [text]);
    const asked = outcome(a.post.ask('b', 'x'.repeat(1_000_000), { timeoutMs: 100 }));
    await turn();
    await clock.advance(100);
    expect(await asked).toMatchObject({ kind: 'silent' });
    wire.fate = (text) => [text];
    a.post.tell('b', 'y'.repeat(1_000_000));
    await turn();
    expect(b.heard).toEqual(['y'.repeat(1_000_000)]);
  });

  it('fails at once where no such node is alive, and when it dies', async () => {
    const { a, wire } = await parties(() => new Promise(() => {}));
    expect(await outcome(a.post.ask('c', 1, { timeoutMs: 100 }))).toMatchObject({ kind: 'unreachable' });
    const asked = outcome(a.post.ask('b', 1, { timeoutMs: 100 }));
    await turn();
    wire.drop('b');
    expect(await asked).toMatchObject({ kind: 'unreachable' });
    expect(a.alive.at(-1)).toEqual(['a']);
  });

  it('fails in time where the node says nothing, and forgets what comes later', async () => {
    const { a, clock, wire } = await parties();
    wire.holds = true;
    const asked = outcome(a.post.ask('b', 1, { timeoutMs: 100 }));
    await clock.advance(99);
    wire.deliver();
    await clock.advance(1);
    expect(await asked).toMatchObject({ kind: 'silent' });
    wire.deliver();
    await turn();
    expect(a.errors).toEqual([]);
  });

  it('tells that the other end failed, and reports it there', async () => {
    const { a, b } = await parties(() => {
      throw new Error('broken');
    });
    expect(await outcome(a.post.ask('b', 1, { timeoutMs: 100 }))).toMatchObject({ kind: 'failed' });
    expect(b.errors).toHaveLength(1);
  });

  it('calls a question off', async () => {
    const { a, b } = await parties(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
    );
    let callOff = (): void => {};
    const asked = outcome(
      a.post.ask('b', 1, {
        timeoutMs: 100,
        onAsked: (given) => {
          callOff = given;
        },
      }),
    );
    await turn();
    callOff();
    await turn();
    expect(b.questions[0]?.signal.aborted).toBe(true);
    expect(await asked).toMatchObject({ kind: 'failed' });
  });

  it('reports what is no letter, and goes on', async () => {
    const { a, b, wire } = await parties();
    wire.fate = () => ['{', 'null', '17'];
    a.post.tell('b', 1);
    await turn();
    expect(b.errors.length).toBeGreaterThan(0);
    wire.fate = (text) => [text];
    expect(await a.post.ask('b', 2, { timeoutMs: 100 })).toBe(2);
  });
});
