/// <reference types="node" />
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitsUtf8, utf8Length } from '../../src/wire/utf8.ts';
import { anyText } from './arbitrary-json.ts';

test('utf8Length is what an encoder writes, lone surrogates as U+FFFD included', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(utf8Length(text)).toBe(Buffer.byteLength(text));
    }),
  );
  expect(utf8Length('a\u{1f600}\ud83d')).toBe(8);
});

test('fitsUtf8 is exact at its bound', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const bytes = Buffer.byteLength(text);
      expect(fitsUtf8(text, bytes)).toBe(true);
      expect(fitsUtf8(text, bytes - 1)).toBe(false);
    }),
  );
});
