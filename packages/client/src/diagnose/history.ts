/** The attempts of a diagnosis, put in order: per transport what was proven and what has failed since, and what became of links. */
import { type Attempt, TRANSPORTS, type Transport } from '@runnel/protocol';
import type { Diagnosis } from '../diagnosis.ts';
import { type Cause, causeOf, isOfNetwork } from './reasons.ts';

export interface Judged extends Attempt {
  readonly cause: Cause;
  /** When it ended, ms since 1970. */
  readonly endedAt: number;
  /** Whether something carried the session meanwhile: what fails while nothing works says little of its transport. */
  readonly linked: boolean;
}

export interface TransportHistory {
  readonly attempts: readonly Judged[];
  /** The last attempt that succeeded; null: none has. */
  readonly proven: Judged | null;
  /** Attempts to get through that failed since then, oldest first; those that something better has overtaken do not count. */
  readonly failures: readonly Judged[];
  /** Links over it that were lost, oldest first. */
  readonly losses: readonly Judged[];
}

/**
 * Each attempt with its cause. A link that was doubted and replaced leaves no attempt behind: it is told by what took its place. `chooses`: the client has
 * chosen by itself, so that it would not have stepped down from a link that was good.
 */
export function judge(attempts: readonly Attempt[], chooses: boolean): readonly Judged[] {
  const judged: Judged[] = [];
  let carrier: Judged | null = null;
  for (const attempt of attempts) {
    const endedAt = attempt.at + attempt.tookMs;
    const entry: Judged = { ...attempt, cause: causeOf(attempt), endedAt, linked: carrier !== null };
    if (attempt.step === 'live') carrier = null;
    if (attempt.step === 'attach' && attempt.outcome === 'ok') {
      if (chooses && carrier !== null && isBetter(carrier.transport, attempt.transport)) {
        const { transport, endedAt: since } = carrier;
        const lived = { at: since, endedAt: attempt.at, tookMs: Math.max(0, attempt.at - since) };
        judged.push({
          ...lived,
          transport,
          step: 'live',
          outcome: 'failed',
          reason: '',
          cause: { kind: 'doubted' },
          linked: true,
        });
      }
      carrier = entry;
    }
    judged.push(entry);
  }
  return judged;
}

export function isBetter(transport: Transport, than: Transport): boolean {
  return TRANSPORTS.indexOf(transport) < TRANSPORTS.indexOf(than);
}

/** `isOpen`: what failed in an outage that is over is not held against a transport that had worked before. */
export function historyOf(transport: Transport, all: readonly Judged[], isOpen: boolean): TransportHistory {
  const attempts = all.filter((attempt) => attempt.transport === transport);
  const at = lastProven(attempts);
  const isFailure = ({ step, cause, linked }: Judged): boolean =>
    step !== 'live' && isTelling(cause) && (linked || !isOpen || at < 0);
  return {
    attempts,
    proven: attempts[at] ?? null,
    failures: attempts.slice(at + 1).filter(isFailure),
    losses: attempts.filter(({ step, cause }) => step === 'live' && cause.kind !== 'superseded'),
  };
}

function isTelling(cause: Cause): boolean {
  return isOfNetwork(cause) || ['code', 'unsupported', 'unknown'].includes(cause.kind);
}

/** What has failed since anything last worked, oldest first. */
export function failuresOfAll(all: readonly Judged[]): readonly Judged[] {
  return all.slice(lastProven(all) + 1);
}

/** The place of the last attempt that succeeded; -1 where none has. */
function lastProven(attempts: readonly Judged[]): number {
  return attempts.map(({ outcome }) => outcome).lastIndexOf('ok');
}

/** Nothing that is meant to cut quiet or old connections cuts them sooner. */
const CUT_MIN_MS = 5_000;

/** After how long the path cuts a link again and again, ms; null where it does not. Two lifetimes are alike where the shorter is four fifths of the longer. */
export function regularCutMs({ losses }: TransportHistory): number | null {
  const cuts = losses.filter(
    ({ cause, tookMs }) => ['broken', 'closed', 'status'].includes(cause.kind) && tookMs >= CUT_MIN_MS,
  );
  const [before, last] = cuts.slice(-2);
  if (before === undefined || last === undefined) return null;
  const shorter = Math.min(before.tookMs, last.tookMs);
  return shorter >= 0.8 * Math.max(before.tookMs, last.tookMs) ? shorter : null;
}

/** What took over after a link was lost, and how long that took; null: nothing has yet. */
export function rescueAfter(loss: Judged, all: readonly Judged[]): { transport: Transport; afterMs: number } | null {
  const rescue = all.slice(all.indexOf(loss) + 1).find(({ step, outcome }) => step === 'attach' && outcome === 'ok');
  return rescue === undefined
    ? null
    : { transport: rescue.transport, afterMs: Math.max(0, rescue.endedAt - loss.endedAt) };
}

const PROBE_DELAYS_MS = [2_000, 8_000, 30_000, 60_000] as const;
const PROBE_LAST_MS = 240_000;

/**
 * When a transport that failed is about to be tried again, give or take a quarter of the time between; null where nothing carries the session, or it has not
 * failed. The session's own schedule counts failures beside a link that works, as is done here, and begins again when the network changes.
 */
export function nextProbeAt(
  { attempts, proven }: TransportHistory,
  all: readonly Judged[],
  { state }: Diagnosis,
): number | null {
  if (state.status !== 'open') return null;
  const linkedAt = all.find(({ step, outcome }) => step === 'attach' && outcome === 'ok')?.endedAt ?? 0;
  const since = Math.max(linkedAt, proven?.endedAt ?? 0);
  const failed = attempts.filter(
    ({ outcome, step, endedAt }) => outcome === 'failed' && step !== 'live' && endedAt > since,
  );
  const last = failed.at(-1);
  return last === undefined ? null : last.endedAt + (PROBE_DELAYS_MS[failed.length - 1] ?? PROBE_LAST_MS);
}
