/**
 * A diagnosis in words: for a panel, a support engineer, a ticket. Kept out of the client, so that only those who ask carry the words.
 *
 * All of it is derived from what `client.diagnose()` tells, and the same diagnosis gives the same words.
 */
import { TRANSPORTS } from '@runnel/protocol';
import type { Diagnosis } from '../diagnosis.ts';
import { findConnection, type NetworkChange } from './connection-findings.ts';
import type { Finding, Health } from './finding.ts';
import { reportText } from './report.ts';
import { situationOf } from './situation.ts';
import { findTransport } from './transport-findings.ts';
import { verdictOn } from './verdict.ts';
import { utcTime } from './wording.ts';

export interface ExplainOptions {
  /** What `navigator.onLine` says. Default: not known. */
  readonly online?: boolean;
  /** What has happened to the network and the machine, oldest first, where somebody watches. Default: nothing is known. */
  readonly changes?: readonly NetworkChange[];
  /** How a point in time, ms since 1970, is written. Default: the time of day in UTC, `14:02:11Z`. */
  readonly time?: (at: number) => string;
}

export interface Explanation {
  /** How things stand, in one line: "Connected over a stream; WebSocket is blocked on this path". */
  readonly verdict: string;
  readonly health: Health;
  /** One for each transport, best first. */
  readonly transports: readonly Finding[];
  /** What concerns the connection as a whole, the most telling first; often none. */
  readonly connection: readonly Finding[];
  /** All of it, with every attempt, as plain text for a ticket. Lines of at most a few hundred characters. */
  readonly text: string;
}

/** Says in words what `client.diagnose()` tells in facts. */
export function explain(diagnosis: Diagnosis, options: ExplainOptions = {}): Explanation {
  const { time = utcTime } = options;
  // Who reads the text may sit in another time zone.
  return { ...describe(diagnosis, options, time), text: reportText(diagnosis, describe(diagnosis, options, utcTime)) };
}

function describe(
  diagnosis: Diagnosis,
  { online, changes = [] }: ExplainOptions,
  time: (at: number) => string,
): Omit<Explanation, 'text'> {
  const situation = situationOf(diagnosis, time);
  const transports = TRANSPORTS.map((transport) => findTransport(transport, situation));
  const connection = findConnection(situation, online ?? null, changes);
  return { ...verdictOn(situation, transports, connection, online ?? null), transports, connection };
}
