import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineReader, splitMessage } from '../../src/wire/lines.ts';
import { anyText, chunked } from './arbitrary-json.ts';

const tooLarge = expect.objectContaining({ code: 'frame_too_large' });

describe('LineReader', () => {
  test('gives the same lines however the text is cut', () => {
    const cases = fc.array(anyText).chain((parts) => {
      const text = parts.join('\n');
      return fc.tuple(fc.constant(text), chunked(text));
    });
    fc.assert(
      fc.property(cases, ([text, chunks]) => {
        const reader = new LineReader();
        const lines = chunks.flatMap((chunk) => reader.push(chunk));
        const whole = text.split('\n');
        expect(reader.rest).toBe(whole.pop()?.length);
        expect(lines).toEqual(whole.filter((line) => line !== ''));
      }),
    );
  });

  test('keeps the line that has not ended', () => {
    const reader = new LineReader();
    expect(reader.push('[1]\n[2')).toEqual(['[1]']);
    expect(reader.rest).toBe(2);
    expect(reader.push('')).toEqual([]);
    expect(reader.push(']\n')).toEqual(['[2]']);
    expect(reader.rest).toBe(0);
  });

  test('takes a line of 65,536 bytes with its newline, and none longer', () => {
    for (const line of ['x'.repeat(65_535), '漢'.repeat(21_845)]) {
      expect(new LineReader().push(`${line}\n`)).toEqual([line]);
      expect(() => new LineReader().push(`${line}x\n`)).toThrow(tooLarge);
    }
  });

  test('refuses a line before it has ended, whole or in pieces', () => {
    expect(() => new LineReader().push('x'.repeat(65_536))).toThrow(tooLarge);
    const reader = new LineReader();
    for (let i = 0; i < 65_535; i++) reader.push('x');
    expect(() => reader.push('x')).toThrow(tooLarge);
  });

  test('bounds each line, not their sum', () => {
    const reader = new LineReader(10);
    expect(reader.push('123456789\n'.repeat(3))).toHaveLength(3);
    expect(() => reader.push('1\n1234567890\n')).toThrow(tooLarge);
  });

  test('ignores empty lines', () => {
    expect(new LineReader().push('\n\n[1]\n\n')).toEqual(['[1]']);
  });
});

describe('splitMessage', () => {
  test('takes the last line without its newline, and ignores empty ones', () => {
    expect(splitMessage('[1]\n[2]')).toEqual(['[1]', '[2]']);
    expect(splitMessage('\n[1]\n\n[2]\n')).toEqual(['[1]', '[2]']);
    expect(splitMessage('')).toEqual([]);
  });

  test('bounds each line with its newline, whether it is there or not', () => {
    const line = 'x'.repeat(65_535);
    expect(splitMessage(`${line}\n${line}`)).toHaveLength(2);
    expect(() => splitMessage(`${line}x`)).toThrow(tooLarge);
    expect(() => splitMessage(`${line}x\n[1]`)).toThrow(tooLarge);
    expect(() => splitMessage('漢'.repeat(21_846))).toThrow(tooLarge);
  });
});
