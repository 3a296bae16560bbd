import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapedName, unescapedName } from '../../src/brokers/escaped-name.ts';

const names = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('%', '.', '*', '>', '{', '}', ' ', '\n', 'a', '0', '\ud800', '\udc00') }),
);

describe('an escaped name', () => {
  it('can be read back, so no two names become one', () => {
    fc.assert(fc.property(names, (name) => unescapedName(escapedName(name)) === name));
  });

  it('is one token of a subject, has no braces, and survives UTF-8', () => {
    fc.assert(
      fc.property(names, (name) => {
        const escaped = escapedName(name);
        expect(escaped).not.toMatch(/[\s.*>{}\p{Cc}]/u);
        expect(Buffer.from(escaped).toString()).toBe(escaped);
      }),
    );
  });

  it('is the name itself where that has nothing to escape', () => {
    expect(escapedName('room/lobby:Ü-1_2')).toBe('room/lobby:Ü-1_2');
  });
});
