/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MEANINGS } from '../src/code-meanings.ts';
import {
  type ClosingCode,
  CODES,
  type Code,
  closeCodeOf,
  closingCodeOf,
  codeOf,
  codeOfClose,
  isCode,
  RunnelError,
  verdictOf,
} from '../src/errors.ts';
import { tableOf } from './wire/document.ts';

describe('the table of codes', () => {
  test('says what PROTOCOL §9 says, row by row and in its order', () => {
    const rows = tableOf('9. Codes').map(([code, close, verdict, meaning]) => ({
      code: code?.replaceAll('`', ''),
      close: close === '–' ? null : Number(close),
      verdict,
      meaning,
    }));
    expect(rows.length).toBeGreaterThan(25);
    const table = Object.entries(CODES).map(([code, entry]) => ({ code, ...entry, meaning: MEANINGS[code as Code] }));
    expect(table).toEqual(rows);
  });

  test('has its page in ERRORS.md, with the same verdicts', () => {
    const pages = readFileSync(new URL('../../../docs/ERRORS.md', import.meta.url), 'utf8').matchAll(
      /^### `(\w+)`\n\*(\w+)\*/gm,
    );
    const listed = [...pages].map(([, code, verdict]) => [code, verdict]);
    expect(listed).toEqual(Object.entries(CODES).map(([code, { verdict }]) => [code, verdict]));
  });

  test('gives no close code twice, and only ones of the private range', () => {
    const closes = Object.values(CODES).flatMap(({ close }) => close ?? []);
    expect(new Set<number>(closes).size).toBe(closes.length);
    for (const close of closes) expect(close >= 4000 && close <= 4999).toBe(true);
  });
});

describe('codes from a peer', () => {
  test('names that every object has are no codes', () => {
    for (const name of ['constructor', '__proto__', 'toString', '']) expect(isCode(name)).toBe(false);
    expect(isCode('kicked')).toBe(true);
  });

  test('an unknown code means: back off, and closes with 4500', () => {
    expect(verdictOf('of_a_newer_version')).toBe('backoff');
    expect([codeOf('of_a_newer_version'), codeOf('forbidden')]).toEqual(['internal', 'forbidden']);
    expect(verdictOf(codeOf('of_a_newer_version'))).toBe('backoff');
    expect(closeCodeOf('of_a_newer_version')).toBe(4500);
    expect(closeCodeOf('validation_failed')).toBe(4500);
  });

  test('those that close a client for good are named, and any other counts as a broken protocol', () => {
    const closing: Readonly<Record<ClosingCode, true>> = {
      closed: true,
      protocol_error: true,
      unauthorized: true,
      credentials_expired: true,
      forbidden_origin: true,
      version_unsupported: true,
      kicked: true,
      frame_too_large: true,
      forbidden: true,
    };
    const ending = Object.keys(CODES).filter((code) => ['fatal', 'refresh'].includes(verdictOf(code)));
    expect(ending.filter((code) => closingCodeOf(code) === code).sort()).toEqual(Object.keys(closing).sort());
    expect(closingCodeOf('validation_failed')).toBe('protocol_error');
  });

  test('a close code leads back to its code', () => {
    expect(codeOfClose(closeCodeOf('superseded'))).toBe('superseded');
    expect(codeOfClose(1006)).toBeNull();
  });
});

describe('RunnelError', () => {
  test('is retryable as the verdict of its code says, unless it is told otherwise', () => {
    expect(new RunnelError('timeout', 'late').retryable).toBe(true);
    expect(new RunnelError('forbidden', 'no').retryable).toBe(false);
    expect(new RunnelError('app:locked', 'locked').retryable).toBe(false);
    expect(new RunnelError('forbidden', 'not yet', { retryable: true }).retryable).toBe(true);
  });

  test('keeps its cause and data', () => {
    const cause = new TypeError('inner');
    const error = new RunnelError('handler_failed', 'outer', { cause, data: { by: 'Ann' } });
    expect(error).toMatchObject({ name: 'RunnelError', code: 'handler_failed', cause, data: { by: 'Ann' } });
    expect('cause' in new RunnelError('timeout', 'late')).toBe(false);
  });

  test('is recognised across copies of the package, and nothing else is', () => {
    const foreign = Object.assign(new Error('of another copy'), { [Symbol.for('runnel.error')]: true });
    expect(RunnelError.is(foreign)).toBe(true);
    expect(RunnelError.is(new RunnelError('timeout', 'late'))).toBe(true);
    for (const value of [new Error('x'), null, undefined, 'runnel.error', {}])
      expect(RunnelError.is(value)).toBe(false);
  });
});
