/** Everything that networks are known to do to traffic, with real clients and a real server at its ends. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { FAULTLESS } from './arrivals.ts';
import { type Crossing, cross, Party } from './crossing.ts';
import { Middlebox, NOTHING } from './intermediaries/middlebox.ts';
import { OriginServer } from './origin-server.ts';
import type { Situation } from './situation.ts';
import { CHANGES } from './situations/changes.ts';
import { MIDDLEBOXES } from './situations/middleboxes.ts';
import { PROGRAMS } from './situations/programs.ts';

const SITUATIONS: readonly Situation[] = [...PROGRAMS, ...MIDDLEBOXES, ...CHANGES];

const crossings = new Map<string, Crossing>();

/** The first connection of a process waits for modules and compilers. */
beforeAll(async () => {
  const server = await OriginServer.start();
  const party = new Party(server);
  await party.first();
  party.client.close();
  await server.crash();
});

afterAll(() => console.log(table()));

describe.concurrent('messages get through', () => {
  it.for(SITUATIONS)('$name', async (situation, { expect, onTestFinished }) => {
    const crossing = await cross(situation, onTestFinished);
    crossings.set(situation.name, crossing);
    expect(crossing.up).toEqual(FAULTLESS);
    expect(crossing.down).toEqual(FAULTLESS);
    expect(crossing.rejected).toEqual([]);
    expect(crossing.errors).toEqual([]);
    expect(crossing.firstMs - crossing.directMs).toBeLessThan(situation.lateMsMax);
    expect(crossing.slowestMs).toBeLessThan(situation.slowestMsMax);
    if (situation.settlesOn !== undefined) expect(crossing.transport).toBe(situation.settlesOn);
  });
});

describe.concurrent('where nothing passes', () => {
  it('diagnose() says what was tried, and with what outcome', async ({ expect, onTestFinished }) => {
    const server = await OriginServer.start();
    onTestFinished(() => server.crash());
    const between = await Middlebox.start(server.port, { up: () => NOTHING });
    onTestFinished(() => between.stop());
    const party = new Party(between);
    onTestFinished(() => party.client.close());
    await party.reaches((state) => state.status === 'connecting' && state.attempt > 1);
    const { attempts, state, transport } = party.client.diagnose();
    expect(state.status).toBe('connecting');
    expect(transport).toBeNull();
    const failed = { outcome: 'failed', reason: 'no answer in time' };
    expect(attempts).toContainEqual(expect.objectContaining({ transport: 'poll', step: 'attach', ...failed }));
    expect(attempts).toContainEqual(expect.objectContaining({ transport: 'websocket', step: 'open', ...failed }));
    expect(attempts.filter(({ outcome }) => outcome === 'ok')).toEqual([]);
  });
});

function table(): string {
  const head = [
    'situation',
    'direct, ms',
    'first message late, ms',
    'slowest, ms',
    'messages',
    'attaches',
    'transport at the end',
  ];
  const rows = SITUATIONS.map(({ name }) => {
    const crossing = crossings.get(name);
    if (crossing === undefined) return [name, ...head.slice(1).map(() => '–')];
    const { directMs, firstMs, slowestMs, transport, sent, attaches } = crossing;
    const times = [directMs, firstMs - directMs, slowestMs].map((ms) => `${Math.round(ms)}`);
    return [name, ...times, `${sent.up} + ${sent.down}`, `${attaches}`, transport ?? 'none'];
  });
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
