/** The gauntlet is worth what its eyes are: whatever goes wrong on purpose has to show. */
import { describe, it } from 'vitest';
import { FAULTLESS, type Numbered } from './arrivals.ts';
import type { Contender } from './contenders/contender.ts';
import { runnel } from './contenders/runnel.ts';
import { cross } from './crossing.ts';
import { Middlebox } from './intermediaries/middlebox.ts';
import { isWhole, misses, verdictOf } from './report/verdict.ts';
import { situation, TRAFFIC } from './situation.ts';

/** What is lost is waited for this long, ms. */
const PATIENCE_MS = 2_000;

/** The message that something happens to. */
const VICTIM = 1;

const SHORT = situation({
  name: 'nothing in between',
  start: ({ port }) => Middlebox.start(port),
  traffic: { ...TRAFFIC, talkMs: 500, quietMs: 0, everyMs: 20 },
});

/** Takes one message and says what goes on in its place. */
type Mischief = (message: Numbered) => readonly Numbered[];

/** Does it to the victim, and leaves the others alone. */
const toVictim =
  (mischief: Mischief): Mischief =>
  (message) =>
    message.n === VICTIM ? mischief(message) : [message];

const lose = (): Mischief => toVictim(() => []);
const repeat = (): Mischief => toVictim((message) => [message, message]);
const alter = (): Mischief => toVictim(({ text, ...rest }) => [{ ...rest, text: text.replace('é', 'e') }]);

/** Exchanges it with the one that comes after it. */
function reorder(): Mischief {
  let kept: readonly Numbered[] = [];
  return (message) => {
    const held = kept;
    kept = message.n === VICTIM ? [message] : [];
    return message.n === VICTIM ? [] : [message, ...held];
  };
}

/** The contender, with something between it and whoever counts. */
function tampered({ host, visit, ...rest }: Contender, direction: 'up' | 'down', mischief: Mischief): Contender {
  const feeding = (take: (message: Numbered) => void) => (message: Numbered) => {
    for (const one of mischief(message)) take(one);
  };
  return {
    ...rest,
    host: (ledger) => host(direction === 'up' ? { ...ledger, take: feeding(ledger.take) } : ledger),
    visit: (way, down) => visit(way, direction === 'down' ? feeding(down) : down),
  };
}

const CASES = [
  { fault: 'lost', mischief: lose },
  { fault: 'repeated', mischief: repeat },
  { fault: 'reordered', mischief: reorder },
  { fault: 'altered', mischief: alter },
] as const;

describe.concurrent.each(['up', 'down'] as const)('on the way %s', (direction) => {
  it.for(CASES)('a message that is $fault shows', async ({ fault, mischief }, { expect, onTestFinished }) => {
    const contender = tampered(runnel, direction, mischief());
    const crossing = await cross({ situation: SHORT, contender, cleanup: onTestFinished, patienceMs: PATIENCE_MS });
    const other = direction === 'up' ? 'down' : 'up';
    expect(crossing[direction]).toEqual({ ...FAULTLESS, [fault]: [VICTIM] });
    expect(crossing[other]).toEqual(FAULTLESS);
    const verdict = verdictOf([crossing]);
    expect(verdict).toMatchObject({ faults: [[fault, 1]] });
    expect(verdict !== null && isWhole(verdict)).toBe(false);
    expect(verdict !== null && misses(SHORT, verdict)).toContain('messages');
  });
});

it('nothing shows where nothing goes wrong', async ({ expect, onTestFinished }) => {
  const crossing = await cross({
    situation: SHORT,
    contender: runnel,
    cleanup: onTestFinished,
    patienceMs: PATIENCE_MS,
  });
  expect(crossing.sent.up).toBeGreaterThan(2 * VICTIM);
  expect(crossing).toMatchObject({ up: FAULTLESS, down: FAULTLESS });
  const verdict = verdictOf([crossing]);
  expect(verdict !== null && isWhole(verdict)).toBe(true);
});

it('the worst of several runs counts', async ({ expect, onTestFinished }) => {
  const options = { situation: SHORT, cleanup: onTestFinished, patienceMs: PATIENCE_MS };
  const good = await cross({ ...options, contender: runnel });
  const bad = await cross({ ...options, contender: tampered(runnel, 'down', repeat()) });
  expect(verdictOf([bad, good])).toMatchObject({ faults: [['repeated', 1]] });
  expect(verdictOf([good, 'it broke'])).toMatchObject({ faults: [], failures: ['it broke'] });
  expect(misses(SHORT, verdictOf([good, 'it broke']) ?? expect.fail('no verdict'))).toContain('messages');
});
