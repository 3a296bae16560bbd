import { TRANSPORTS } from '@runnel/protocol';
import { expect, test } from 'vitest';
import { causeOf, causeOfReason } from '../../src/diagnose/reasons.ts';

declare global {
  interface ImportMeta {
    /** Vite's: the files that match, by path, as text. */
    readonly glob: (
      pattern: string,
      options: { query: '?raw'; import: 'default'; eager: true },
    ) => Record<string, string>;
  }
}

const core = import.meta.glob('../../../protocol/src/session/client/*.ts', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const webSockets = import.meta.glob('../../src/*-web-socket.ts', { query: '?raw', import: 'default', eager: true });

/** What the session core does with a reason. */
const CALLS = /\.(?:attachFailed|fail|refused|lose|startAnew|distrust|backOff|want|suspect|leave|leaveEarlier)\(/g;

/** Every string that stands between the brackets of such a call; `7` for what is put into a template. */
function reasonsIn(source: string): string[] {
  return [...source.matchAll(CALLS)].flatMap(({ index, 0: call }) => {
    let depth = 1;
    let end = index + call.length;
    for (; depth > 0 && end < source.length; end += 1) {
      if (source[end] === '(') depth += 1;
      if (source[end] === ')') depth -= 1;
    }
    const strings = source.slice(index + call.length, end).matchAll(/'([^']+)'|"([^"]+)"|`([^`]+)`/g);
    return [...strings].map(([, single, double, template]) =>
      (single ?? double ?? template ?? '').replaceAll(/\$\{[^}]*\}/g, '7'),
    );
  });
}

const emitted = Object.values(core).flatMap(reasonsIn);

/** Names of transports, and reasons of states that are no attempt's. */
const others = new Set<string>([...TRANSPORTS, 'credentials: 7']);

test('every reason that the session core can give for an attempt is known', () => {
  const reasons = emitted.filter((reason) => !others.has(reason));
  expect(reasons).toContain('no answer in time');
  expect(reasons).toContain('closed with 7');
  expect(reasons.length).toBeGreaterThan(15);
  for (const reason of reasons)
    for (const transport of TRANSPORTS)
      expect([reason, causeOfReason(reason, transport).kind]).not.toContain('unknown');
});

test('what the client says of a WebSocket that could not be made is known', () => {
  const reasons = [
    ...Object.values(webSockets)
      .join()
      .matchAll(/new Error\('([^']+)'\)/g),
  ].map(([, reason = '']) => reason);
  expect(reasons.length).toBe(3);
  for (const reason of reasons) expect(causeOfReason(reason, 'websocket').kind).toBe('unsupported');
});

test('a number is a close code on a WebSocket and a status elsewhere', () => {
  expect(causeOfReason('closed with 1006', 'websocket')).toEqual({ kind: 'closed', closeCode: 1006 });
  expect(causeOfReason('closed with 502', 'poll')).toEqual({ kind: 'status', status: 502 });
});

test('success has no cause, and what nobody knows is passed on as it is', () => {
  expect(causeOf({ transport: 'poll', outcome: 'ok', reason: '' })).toEqual({ kind: 'none' });
  expect(causeOfReason('the moon', 'poll')).toEqual({ kind: 'unknown', detail: 'the moon' });
});
