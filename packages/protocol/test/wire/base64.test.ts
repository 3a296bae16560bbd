/// <reference types="node" />
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as pure from '../../src/wire/base64.ts';
import * as ofBrowsers from '../../src/wire/base64-browser.ts';

describe.each([
  ['base64', pure],
  ['base64 in browsers', ofBrowsers],
])('%s', (_, { fromBase64, toBase64 }) => {
  test('is what Buffer makes of the same bytes, and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = toBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64'));
        expect(fromBase64(text)).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  test.each([6_143, 6_144, 6_145, 8_191, 8_192, 8_193, 1_000_000])('%i bytes are the same as with Buffer', (length) => {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
    const text = toBase64(bytes);
    expect(text === Buffer.from(bytes).toString('base64')).toBe(true);
    expect(Buffer.compare(fromBase64(text) as Uint8Array, bytes)).toBe(0);
  });

  test('reads a view at its place in its buffer', () => {
    expect(toBase64(new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 3))).toBe('AQI=');
  });

  test.each([
    'A',
    'AA',
    'AAA',
    'A===',
    '====',
    '=',
    'AA=A',
    'A=AA',
    'AAA\n',
    'AA-_',
    'AAA\u0141',
    'AAAA====',
    'AA==AAAA',
    ' AAA',
  ])('refuses %j', (text) => {
    expect(fromBase64(text)).toBeNull();
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('A', '/', '=', '-', '\u0141', '\ud83d') }), (text) => {
        const bytes = fromBase64(text);
        if (bytes) expect(bytes).toEqual(new Uint8Array(Buffer.from(text, 'base64')));
      }),
    );
  });
});
