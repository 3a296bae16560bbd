/** Everything that networks are known to do to traffic, with real clients and a real server at its ends. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { FAULTLESS } from './arrivals.ts';
import { runnel } from './contenders/runnel.ts';
import { type Crossing, cross } from './crossing.ts';
import { Origin } from './origin.ts';
import { Party } from './party.ts';
import { markdownTable } from './report/markdown.ts';
import { misses, verdictOf } from './report/verdict.ts';
import { bounds } from './situation.ts';
import { SITUATIONS } from './situations/all.ts';

const PATIENCE_MS = 20_000;

const crossings = new Map<string, Crossing>();

/** The first connection of a process waits for modules and compilers. */
beforeAll(async () => {
  const origin = await Origin.start(runnel);
  const party = new Party({ contender: runnel, way: origin, patienceMs: PATIENCE_MS });
  await party.first(PATIENCE_MS);
  party.visitor.close();
  await origin.crash();
});

afterAll(() => console.log(table()));

describe.concurrent('messages get through', () => {
  it.for(SITUATIONS)('$name', async (situation, { expect, onTestFinished }) => {
    const crossing = await cross({ situation, contender: runnel, cleanup: onTestFinished, patienceMs: PATIENCE_MS });
    crossings.set(situation.name, crossing);
    const { account } = crossing;
    const most = bounds(situation);
    expect(crossing.up, account).toEqual(FAULTLESS);
    expect(crossing.down, account).toEqual(FAULTLESS);
    expect(crossing.rejected, account).toEqual([]);
    expect(crossing.errors, account).toEqual([]);
    expect(crossing.firstMs - crossing.directMs, account).toBeLessThan(most.firstMs);
    expect(crossing.slowestMs, account).toBeLessThan(most.slowestMs);
    expect(crossing.roundTrips, account).toBeLessThanOrEqual(situation.roundTripsMax);
    expect(crossing.attaches, account).toBeLessThanOrEqual(situation.attachesMax);
    if (situation.proves !== undefined) expect(crossing.proven, account).toEqual([...situation.proves].sort());
    if (situation.settlesOn !== undefined) expect(crossing.transport, account).toBe(situation.settlesOn);
  });
});

/** What the assertions leave open: how late, how slow, and at what cost. */
function table(): string {
  const head = [
    'situation',
    'first late, ms',
    'slowest, ms',
    'round trips',
    'connections',
    'attaches',
    'proven',
    'at the end',
    'missed',
  ];
  const rows = SITUATIONS.map((situation) => {
    const crossing = crossings.get(situation.name);
    const verdict = verdictOf(crossing === undefined ? [] : [crossing]);
    if (crossing === undefined || verdict === null) return [situation.name, ...head.slice(1).map(() => '–')];
    const { attaches, connections, proven, roundTrips, transport } = crossing;
    const times = [verdict.lateMs, verdict.slowestMs].map((ms) => `${Math.round(ms)}`);
    const costs = [roundTrips, connections, attaches, proven].map((cost) => `${cost}`);
    return [situation.name, ...times, ...costs, transport ?? 'none', misses(situation, verdict).join('; ')];
  });
  return markdownTable(head, rows);
}
