/** A diagnosis as the findings look at it. */
import { TRANSPORTS, type Transport } from '@runnel/protocol';
import type { Diagnosis } from '../diagnosis.ts';
import { historyOf, type Judged, judge, type TransportHistory } from './history.ts';

/** As many attempts as a diagnosis holds; where it is full, what happened before is not known. */
const ATTEMPTS_MAX = 100;

export interface Situation {
  readonly diagnosis: Diagnosis;
  readonly all: readonly Judged[];
  readonly histories: Readonly<Record<Transport, TransportHistory>>;
  readonly time: (at: number) => string;
}

export function situationOf(diagnosis: Diagnosis, time: (at: number) => string): Situation {
  const all = judge(diagnosis.attempts, diagnosis.choice === 'auto');
  const histories = Object.fromEntries(
    TRANSPORTS.map((transport) => [transport, historyOf(transport, all, diagnosis.transport !== null)]),
  ) as Situation['histories'];
  return { diagnosis, all, histories, time };
}

export function isAllowed({ diagnosis: { choice, transports } }: Situation, transport: Transport): boolean {
  return choice === 'auto' ? transports.includes(transport) : choice === transport;
}

/** Whether the options, or `use`, leave one transport only. */
export function isPinned({ diagnosis: { choice, transports } }: Situation): boolean {
  return choice !== 'auto' || transports.length === 1;
}

/** Whether anything else got through while these failed: only then they say something of their transport. */
export function worksElsewhere({ diagnosis, all }: Situation, failures: readonly Judged[]): boolean {
  const since = failures[0]?.at ?? Number.POSITIVE_INFINITY;
  return diagnosis.transport !== null || all.some(({ outcome, endedAt }) => outcome === 'ok' && endedAt >= since);
}

/** An attach that is awaited in vain is followed by the next within this time. */
const DOUBT_MS = 15_000;

/** Whether the client doubts the link it has: it would not try to attach by poll beside one that it trusts. */
export function isDoubted({ all, diagnosis }: Situation): boolean {
  const { at, choice, state } = diagnosis;
  const last = all.filter(({ step }) => step === 'attach').at(-1);
  if (choice !== 'auto' || state.status !== 'open' || state.transport === 'poll' || last === undefined) return false;
  const { transport, outcome, endedAt } = last;
  return transport === 'poll' && outcome === 'failed' && endedAt > state.since && at - endedAt < DOUBT_MS;
}

/** Whether WebSocket came first although polls may be used: a POST that is answered is faster. */
export function postIsMissing(situation: Situation): boolean {
  const { diagnosis, all, histories } = situation;
  const carriers = all.filter(({ step, outcome }) => step === 'attach' && outcome === 'ok');
  return (
    isAllowed(situation, 'poll') &&
    diagnosis.attempts.length < ATTEMPTS_MAX &&
    carriers.length > 0 &&
    carriers.every(({ transport }) => transport === 'websocket') &&
    histories.stream.proven === null
  );
}
