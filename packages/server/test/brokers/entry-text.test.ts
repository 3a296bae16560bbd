import fc from 'fast-check';
import { expect, it } from 'vitest';
import { entryOfText, entryText } from '../../src/brokers/entry-text.ts';

const text = fc.string({ unit: 'binary' });

it('keeps an entry as it is, and the payload unencoded', () => {
  const entries = fc.record({ event: text, data: text, by: text, key: text }, { requiredKeys: ['event', 'data'] });
  fc.assert(
    fc.property(entries, (entry) => {
      expect(entryOfText(entryText(entry))).toEqual({ ...entry });
    }),
  );
  expect(entryText({ event: 'message', data: '{"a":1}', by: 'ann' })).toBe('["message","ann"]\n{"a":1}');
});
