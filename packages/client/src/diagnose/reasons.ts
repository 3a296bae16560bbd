/** What the reasons of attempts come to. The session core writes them for people, and this is the one place that reads them. */
import { type Attempt, type Code, isCode, type Transport } from '@runnel/protocol';

export type Cause =
  /** It succeeded. */
  | { readonly kind: 'none' }
  /** Nothing came back in time. */
  | { readonly kind: 'unanswered' }
  /** It could not be opened, or broke, and the runtime does not tell why. */
  | { readonly kind: 'broken' }
  /** HTTP answered with a status that is not Runnel's. */
  | { readonly kind: 'status'; readonly status: number }
  /** A WebSocket was closed with a code that is not Runnel's. */
  | { readonly kind: 'closed'; readonly closeCode: number }
  /** What came is not what the server wrote: somebody answered in its place, or an old answer was given again. */
  | { readonly kind: 'foreign'; readonly detail: string }
  /** Frames were lost or repeated where that cannot be. */
  | { readonly kind: 'disorder'; readonly detail: string }
  /** A link was replaced while it was still there: it had gone silent, unless another transport was asked for. */
  | { readonly kind: 'doubted' }
  /** Something else carries the session, or had better: nothing is wrong with the path. */
  | { readonly kind: 'superseded' }
  /** This runtime has no WebSocket, or refuses its address. */
  | { readonly kind: 'unsupported'; readonly detail: string }
  /** The server, or the client itself, has given it up with a code. */
  | { readonly kind: 'code'; readonly code: Code }
  | { readonly kind: 'unknown'; readonly detail: string };

type Reader = (detail: string) => Cause;

const foreign: Reader = (detail) => ({ kind: 'foreign', detail });
const disorder: Reader = (detail) => ({ kind: 'disorder', detail });
const unsupported: Reader = (detail) => ({ kind: 'unsupported', detail });
const unanswered: Reader = () => ({ kind: 'unanswered' });

/** Each reason that is not a code, by how it begins. */
const readers: readonly (readonly [beginning: string, cause: Reader])[] = [
  ['no answer in time', unanswered],
  ['a POST was not answered', unanswered],
  ['the connection broke', () => ({ kind: 'broken' })],
  ['unreadable: ', foreign],
  ['a welcome to another client', foreign],
  ['a welcome to another session', foreign],
  ['a welcome in answer to a poll', foreign],
  ['an answer to another poll', foreign],
  ['frame ', disorder],
  ["the server's rx ", disorder],
  ['the server claims frames that were never sent', disorder],
  ['another client holds our key', () => ({ kind: 'superseded' })],
  ['overtaken', () => ({ kind: 'superseded' })],
  ['the server asked for an attach', () => ({ kind: 'superseded' })],
  ['there is no WebSocket here', unsupported],
  ['this version of Node has no WebSocket', unsupported],
  ['SyntaxError', unsupported],
  ['SecurityError', unsupported],
];

const CLOSED = /^closed with (\d+)$/;

/** What became of an attempt. HTTP statuses and WebSocket close codes read alike, and differ in what they came on. */
export function causeOf({ transport, outcome, reason }: Pick<Attempt, 'transport' | 'outcome' | 'reason'>): Cause {
  return outcome === 'ok' ? { kind: 'none' } : causeOfReason(reason, transport);
}

export function causeOfReason(reason: string, transport: Transport): Cause {
  if (reason === 'superseded') return { kind: 'superseded' };
  if (isCode(reason)) return { kind: 'code', code: reason };
  const number = Number(CLOSED.exec(reason)?.[1]);
  if (number > 0)
    return transport === 'websocket' ? { kind: 'closed', closeCode: number } : { kind: 'status', status: number };
  const reader = readers.find(([beginning]) => reason.startsWith(beginning));
  return reader?.[1](reason) ?? { kind: 'unknown', detail: reason };
}

/** Whether it says something about the network, rather than about the server, the session or the runtime. */
export function isOfNetwork(cause: Cause): boolean {
  return ['unanswered', 'broken', 'closed', 'status', 'foreign', 'disorder'].includes(cause.kind) || isSilence(cause);
}

function isSilence(cause: Cause): boolean {
  return cause.kind === 'unanswered' || (cause.kind === 'code' && cause.code === 'silent');
}

/** Where the server itself has said it. */
export function codeOfCause(cause: Cause): Code | null {
  return cause.kind === 'code' && cause.code !== 'silent' ? cause.code : null;
}
