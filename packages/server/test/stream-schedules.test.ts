import { Type } from '@runnel/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TestClient } from './harness.ts';
import { allow, iterate, openBoard, partsOf } from './open-board.ts';
import { turn } from './virtual-clock.ts';

type Step =
  | { readonly do: 'ask'; readonly parts: number; readonly size: number; readonly credit: number }
  | { readonly do: 'allow'; readonly which: number; readonly credit: number }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'work' | 'congest' | 'drain' | 'ack' | 'cut' | 'resume' | 'turn' };

const small = fc.nat(8);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('ask' as const),
    parts: fc.nat(12),
    size: fc.nat(3_000),
    credit: fc.integer({ min: 1, max: 8 }),
  }),
  fc.record({ do: fc.constant('allow' as const), which: small, credit: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ do: fc.constant('cancel' as const), which: small }),
  fc.record({ do: fc.constantFrom('work' as const, 'congest', 'drain', 'ack', 'cut', 'resume', 'turn') }),
);

/** One stream, as the client and as its handler see it. */
interface Watched {
  /** Set when it was asked for. */
  id: number;
  readonly parts: number;
  /** Of each part, in characters. */
  readonly size: number;
  allowed: number;
  /** Parts that the handler was asked for. */
  pulled: number;
  begun: boolean;
  closed: boolean;
}

class Streams {
  readonly watched: Watched[] = [];
  /** Handlers that are at work on a part. */
  #working: (() => void)[] = [];

  readonly ask = ({ data: index }: { readonly data: string }): AsyncGenerator => {
    return this.#run(this.watched[Number(index)] as Watched);
  };

  work(): void {
    const working = this.#working;
    this.#working = [];
    for (const done of working) done();
  }

  async *#run(of: Watched): AsyncGenerator {
    of.begun = true;
    try {
      for (let i = 0; i < of.parts; i += 1) {
        of.pulled += 1;
        if (i % 3 === 2) await new Promise<void>((resolve) => this.#working.push(resolve));
        yield { token: `${i} ${'x'.repeat(of.size)}` };
      }
      return of.parts;
    } finally {
      of.closed = true;
    }
  }
}

describe('streamed answers', () => {
  it('keep to their credit, their order and their one end, and no handler outlives its call', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const streams = new Streams();
        const harness = openBoard({ ask: streams.ask }, { limits: { outboxBytes: 20_000, messageBytes: 5_000 } });
        const ann = await harness.connect('ann');
        const { session } = ann;
        let linked = true;

        const check = (): void => {
          for (const { id, parts, allowed, pulled } of streams.watched) {
            const got = partsOf(ann, id).map((part) => Number((part as { token: string }).token.split(' ')[0]));
            expect(got).toEqual(Array.from({ length: got.length }, (_, i) => i));
            expect(pulled).toBeLessThanOrEqual(allowed);
            const answers = ann.answers(id);
            expect(answers.length).toBeLessThanOrEqual(1);
            if (answers[0]?.[0] === Type.result) expect(got).toHaveLength(parts);
          }
          expect(session.ended).toBeNull();
        };

        const take = async (step: Step): Promise<void> => {
          const live = streams.watched.at('which' in step ? step.which % Math.max(streams.watched.length, 1) : 0);
          switch (step.do) {
            case 'ask': {
              if (!linked) return;
              const { parts, size, credit: allowed } = step;
              const stream: Watched = { id: 0, parts, size, allowed, pulled: 0, begun: false, closed: false };
              // Its handler begins before this returns.
              stream.id = iterate(ann, allowed, { data: String(streams.watched.push(stream) - 1) });
              return;
            }
            case 'allow':
              if (live === undefined || !linked) return;
              live.allowed += step.credit;
              return allow(ann, live.id, step.credit);
            case 'cancel':
              if (live !== undefined && linked) ann.send([Type.cancel, live.id]);
              return;
            case 'work':
              return streams.work();
            case 'congest':
              ann.congested = true;
              return;
            case 'drain':
              return ann.drain();
            case 'ack':
              if (linked) ann.ack();
              return;
            case 'cut':
              if (linked) ann.cut();
              linked = false;
              return;
            case 'resume':
              if (!linked) await ann.resume();
              linked = true;
              return;
            case 'turn':
              return turn();
          }
        };

        for (const step of steps) {
          await take(step);
          check();
        }
        await finish(ann, streams, linked);
        check();
        for (const { id } of streams.watched) expect(ann.answers(id)).toHaveLength(1);
        expect(streams.watched.filter(({ begun, closed }) => begun !== closed)).toEqual([]);
        expect(harness.app.stats.calls).toBe(0);
        expect(harness.errors).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

/** Gives everything that any of them waits for. */
async function finish(ann: TestClient, streams: Streams, linked: boolean): Promise<void> {
  if (!linked) await ann.resume();
  for (let round = 0; streams.watched.some(({ id }) => ann.answers(id).length === 0); round += 1) {
    if (round === 200) throw new Error('a stream does not end');
    ann.drain();
    ann.ack();
    for (const of of streams.watched) {
      of.allowed += 20;
      allow(ann, of.id, 20);
    }
    streams.work();
    await turn();
  }
  streams.work();
  await turn();
}
