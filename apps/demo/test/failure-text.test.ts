import { CODES } from '@runnel/protocol';
import { expect, it } from 'vitest';
import { failureText, knownFailures } from '../src/failure-text.ts';

it('speaks of codes that exist', () => {
  expect(knownFailures().filter((code) => !(code in CODES))).toEqual([]);
});

it('says what a code means, and otherwise what the error says', () => {
  expect(failureText({ code: 'timeout' })).toBe('no answer came in time');
  expect(failureText(new Error('out of luck'))).toBe('out of luck');
  expect(failureText('out of luck')).toBe('out of luck');
});
