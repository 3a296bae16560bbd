/** An explanation as plain text, to be pasted into a ticket. Times are UTC, whatever the panel shows. */
import type { Attempt } from '@runnel/protocol';
import type { Diagnosis } from '../diagnosis.ts';
import type { Explanation } from './explanation.ts';
import type { Finding } from './finding.ts';
import { duration, sentences, utcTime } from './wording.ts';

export function reportText(diagnosis: Diagnosis, found: Omit<Explanation, 'text'>): string {
  const { at, state, choice, transports, roundTripMs, client, counts, attempts } = diagnosis;
  const facts = [
    `state ${state.status}${'reason' in state && state.reason !== '' ? ` (${state.code}: ${state.reason})` : ''}`,
    `choice ${choice} of ${transports.join(', ')}`,
    `round trip ${roundTripMs === null ? 'not measured' : duration(roundTripMs)}`,
    `client ${client ?? 'without a session'}`,
    `frames ${counts.framesUp} up, ${counts.framesDown} down; ${counts.attaches} attaches, ${counts.resumes} resumes`,
  ];
  return [
    `Runnel connection report, ${new Date(at).toISOString()}`,
    sentences(found.verdict),
    '',
    ...[...found.transports, ...found.connection].flatMap(lines),
    'Facts',
    ...facts.map((fact) => `  ${fact}`),
    '',
    `Attempts, ${attempts.length}`,
    ...attempts.map(attemptLine),
    '',
  ].join('\n');
}

function lines({ title, evidence, meaning, remedies, retry, isProblem }: Finding): string[] {
  return [
    `${isProblem ? '!' : '-'} ${title}`,
    ...[evidence, meaning, retry].filter((text) => text !== '').map((text) => `  ${sentences(text)}`),
    ...remedies.map((remedy) => `  * ${remedy}`),
    '',
  ];
}

function attemptLine({ at, transport, step, outcome, tookMs, reason }: Attempt): string {
  const columns = [utcTime(at), transport.padEnd(9), step.padEnd(6), outcome.padEnd(6), duration(tookMs).padStart(6)];
  return `  ${columns.join('  ')}${reason === '' ? '' : `  ${reason}`}`;
}
