import { describe, expect, test } from 'vitest';
import { FragmentJoiner } from '../../src/wire/fragments.ts';

const violation = expect.objectContaining({ code: 'protocol_error' });

describe('FragmentJoiner', () => {
  test('gives the line after the last fragment and can join another', () => {
    const joiner = new FragmentJoiner(15);
    for (let i = 0; i < 2; i++) {
      expect(joiner.open).toBe(false);
      expect(joiner.push([30, 1, '[29,'])).toBeNull();
      expect(joiner.open).toBe(true);
      expect(joiner.push([30, 0, '"room"]'])).toBe('[29,"room"]');
    }
    expect(joiner.open).toBe(false);
    expect(joiner.push([30, 0, '[29,"room"]'])).toBe('[29,"room"]');
  });

  test('takes a line that fills its limit, counted in bytes, and none longer', () => {
    const line = '[29,"é"]';
    expect(new FragmentJoiner(9).push([30, 0, line])).toBe(line);
    const joiner = new FragmentJoiner(8);
    joiner.push([30, 1, line.slice(0, 4)]);
    expect(() => joiner.push([30, 1, line.slice(4)])).toThrow(expect.objectContaining({ code: 'frame_too_large' }));
  });

  test.each([
    '[30,0,"[29]"]',
    ' [ 30 ,0,"x"]',
    '[3,1]',
    '[1,1]',
    '[15]',
    '[20e-1,1]',
    '["18"]',
    '[]',
    'null',
    '{}',
    '[-18]',
    '[',
    'x',
  ])('refuses %s in fragments', (line) => {
    expect(() => new FragmentJoiner(100).push([30, 0, line])).toThrow(violation);
  });

  test('refuses an empty slice, of which any number would fit', () => {
    expect(() => new FragmentJoiner(100).push([30, 1, ''])).toThrow(violation);
  });
});
