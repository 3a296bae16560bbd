import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeSession, type Outcome } from './fake-session.ts';

interface Made {
  readonly kind: 'publish' | 'request';
  readonly outcome: Outcome;
  /** How often it went up, in which incarnations. */
  readonly sentIn: number[];
}

/** One client, what it called, and what of that went up. Calls carry their number as data. */
class World {
  readonly session = new FakeSession();
  readonly made: Made[] = [];
  /** Ids that are not answered in this incarnation. */
  #open: number[] = [];
  #incarnation = 0;
  #alive = false;

  call(kind: Made['kind'], timeoutMs: number): void {
    const outcome = this.session[kind](this.made.length, { timeoutMs });
    this.made.push({ kind, outcome, sentIn: [] });
  }

  cancel(pick: number): void {
    this.made[pick % Math.max(1, this.made.length)]?.outcome.cancel();
  }

  answer(pick: number, fails: boolean): void {
    const [id] = this.#open.splice(pick % Math.max(1, this.#open.length), 1);
    if (id === undefined || !this.#alive) return;
    this.session.receive(fails ? [20, id, 'handler_failed', '', true] : [19, id, null]);
  }

  attach(): void {
    if (this.#alive) {
      this.session.resume();
      return;
    }
    this.#alive = true;
    this.#incarnation += 1;
    this.#open = [];
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
    for (const [type, id, , , data] of this.session.takeSent()) {
      if (type === 21) continue;
      const call = this.made[Number(data)];
      if (call === undefined) throw new Error(`call ${data} was never made`);
      expect(call.sentIn, 'a call goes up once in an incarnation').not.toContain(this.#incarnation);
      if (call.kind === 'request') expect(call.sentIn, 'a request goes up once').toEqual([]);
      expect(Number(data), 'in the order of the calls').toBeGreaterThan(last);
      last = Number(data);
      call.sentIn.push(this.#incarnation);
      this.#open.push(Number(id));
    }
    for (const { outcome } of this.made) expect(outcome.results.length).toBeLessThanOrEqual(1);
  }
}

const step = fc.oneof(
  fc.record({
    do: fc.constant('call'),
    kind: fc.constantFrom('publish', 'request'),
    ms: fc.integer({ min: 1, max: 400 }),
  }),
  fc.record({ do: fc.constant('cancel'), pick: fc.nat() }),
  fc.record({ do: fc.constant('answer'), pick: fc.nat(), fails: fc.boolean() }),
  fc.record({ do: fc.constant('attach') }),
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
        else if (step.do === 'attach') world.attach();
        else if (step.do === 'lose') world.lose();
        else if (step.do === 'close') world.close();
        else if (step.do === 'full' && 'full' in step) world.session.full = step.full;
        else if (step.do === 'pass' && 'ms' in step) world.session.pass(step.ms);
        world.check();
      }
      world.session.close();
      for (const { outcome } of world.made) expect(outcome.results).toHaveLength(1);
      world.session.pass(1_000);
      for (const { outcome } of world.made) expect(outcome.results).toHaveLength(1);
    }),
    { numRuns: 500 },
  );
});
