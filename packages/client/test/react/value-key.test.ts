import { expect, test } from 'vitest';
import { valueKey } from '../../src/react/value-key.ts';

test('values that are equal as JSON have one key, however they were written', () => {
  expect(valueKey({ b: [1, { d: 2, c: 3 }], a: 'x' })).toBe(valueKey({ a: 'x', b: [1, { c: 3, d: 2 }], e: undefined }));
  expect(JSON.parse(valueKey({ b: null, a: [1, 'x'] }))).toEqual({ a: [1, 'x'], b: null });
});

test('other values have other keys', () => {
  const values = [undefined, null, '', 'null', 0, [], {}, [1, 2], [2, 1], { a: 1 }, { a: '1' }, { b: 1 }];
  expect(new Set(values.map(valueKey)).size).toBe(values.length);
});
