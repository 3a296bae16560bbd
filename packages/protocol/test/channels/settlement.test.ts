import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeSession, type Outcome } from './fake-session.ts';

interface Made {
  readonly kind: 'publish' | 'request' | 'stream';
  readonly outcome: Outcome;
  /** How often it went up, in which incarnations. */
  readonly sentIn: number[];
  /** Of a stream: parts allowed and not sent by the server, in the incarnation under way. */
  credit: number;
  /** Parts sent by the server. */
  parts: number;
}

const CREDIT = 2;

/** One client, what it called, and what of that went up. Calls carry their number as data. */
class World {
  readonly session = new FakeSession();
  readonly made: Made[] = [];
  /** What the server has not answered in this incarnation, by id. */
  #open = new Map<number, Made>();
  #incarnation = 0;
  #alive = false;

  call(kind: Made['kind'], timeoutMs: number): void {
    const data = this.made.length;
    const options = { timeoutMs };
    const outcome = kind === 'stream' ? this.session.stream(data, CREDIT, options) : this.session[kind](data, options);
    this.made.push({ kind, outcome, sentIn: [], credit: 0, parts: 0 });
  }

  allow(pick: number): void {
    const streams = this.made.filter(({ kind }) => kind === 'stream');
    streams[pick % Math.max(1, streams.length)]?.outcome.allow(1);
  }

  /** The server sends a part of some answer that is streamed and that it may. */
  part(pick: number): void {
    const open = [...this.#open].filter(([, { credit }]) => credit > 0);
    const [id, call] = open[pick % Math.max(1, open.length)] ?? [];
    if (id === undefined || call === undefined || !this.#alive) return;
    call.credit -= 1;
    this.session.receive([27, id, call.parts]);
    call.parts += 1;
  }

  cancel(pick: number): void {
    this.made[pick % Math.max(1, this.made.length)]?.outcome.cancel();
  }

  answer(pick: number, fails: boolean): void {
    const id = [...this.#open.keys()][pick % Math.max(1, this.#open.size)];
    if (id === undefined || !this.#alive) return;
    this.#open.delete(id);
    this.session.receive(fails ? [20, id, 'handler_failed', '', true] : [19, id, null]);
  }

  attach(): void {
    if (this.#alive) {
      this.session.resume();
      return;
    }
    this.#alive = true;
    this.#incarnation += 1;
    this.#open.clear();
    this.session.attach();
  }

  lose(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.session.lose();
  }

  close(): void {
    this.#alive = false;
    this.session.close();
    this.session.channels.bind(this.session);
  }

  /** Looks at what went up, and at what is settled. */
  check(): void {
    this.session.pass();
    let last = -1;
    for (const [type, id, what, , data, , options] of this.session.takeSent()) {
      if (type === 21) this.#open.delete(Number(id));
      if (type === 27) (this.#open.get(Number(id)) as Made).credit += Number(what);
      if (type === 21 || type === 27) continue;
      const call = this.made[Number(data)];
      if (call === undefined) throw new Error(`call ${data} was never made`);
      expect(call.sentIn, 'a call goes up once in an incarnation').not.toContain(this.#incarnation);
      const { again, credit } = { again: undefined, credit: undefined, ...(options as object) };
      if (call.kind !== 'publish') expect(again === true, 'a later one says so').toBe(call.sentIn.length > 0);
      expect(call.parts, 'what has begun does not go up again').toBe(0);
      expect(Number(data), 'in the order of the calls').toBeGreaterThan(last);
      last = Number(data);
      call.sentIn.push(this.#incarnation);
      call.credit = Number(credit ?? 0);
      this.#open.set(Number(id), call);
    }
    for (const { outcome, parts } of this.made) {
      const told = outcome.results.filter(
        (result) => typeof result === 'object' && result !== null && 'part' in result,
      );
      expect(told, 'parts come in order, and none after the end').toEqual(
        outcome.results.slice(0, told.length).map((_, part) => ({ part })),
      );
      expect(told.length).toBeLessThanOrEqual(parts);
      expect(outcome.results.length - told.length).toBeLessThanOrEqual(1);
    }
  }

  /** What each call was settled with. */
  get settlements(): unknown[][] {
    return this.made.map(({ outcome: { results } }) =>
      results.filter((result) => !(typeof result === 'object' && result !== null && 'part' in result)),
    );
  }
}

const often = <T>(arbitrary: fc.Arbitrary<T>) => ({ arbitrary, weight: 4 });

const step = fc.oneof(
  often(
    fc.record({
      do: fc.constant('call'),
      kind: fc.constantFrom('publish', 'request', 'stream'),
      ms: fc.integer({ min: 1, max: 400 }),
    }),
  ),
  fc.record({ do: fc.constant('cancel'), pick: fc.nat() }),
  fc.record({ do: fc.constant('answer'), pick: fc.nat(), fails: fc.boolean() }),
  often(fc.record({ do: fc.constant('part'), pick: fc.nat() })),
  fc.record({ do: fc.constant('allow'), pick: fc.nat() }),
  often(fc.record({ do: fc.constant('attach') })),
  fc.record({ do: fc.constant('lose') }),
  fc.record({ do: fc.constant('close') }),
  fc.record({ do: fc.constant('full'), full: fc.boolean() }),
  fc.record({ do: fc.constant('pass'), ms: fc.integer({ min: 0, max: 200 }) }),
);

test('every call is settled exactly once, and goes up in order, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World();
      for (const step of steps) {
        if (step.do === 'call' && 'kind' in step) world.call(step.kind as Made['kind'], step.ms);
        else if (step.do === 'cancel' && 'pick' in step) world.cancel(step.pick);
        else if (step.do === 'answer' && 'fails' in step) world.answer(step.pick, step.fails);
        else if (step.do === 'part' && 'pick' in step) world.part(step.pick);
        else if (step.do === 'allow' && 'pick' in step) world.allow(step.pick);
        else if (step.do === 'attach') world.attach();
        else if (step.do === 'lose') world.lose();
        else if (step.do === 'close') world.close();
        else if (step.do === 'full' && 'full' in step) world.session.full = step.full;
        else if (step.do === 'pass' && 'ms' in step) world.session.pass(step.ms);
        world.check();
      }
      world.session.close();
      for (const settlements of world.settlements) expect(settlements).toHaveLength(1);
      world.session.pass(1_000);
      for (const settlements of world.settlements) expect(settlements).toHaveLength(1);
    }),
    { numRuns: 500 },
  );
});
