import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ResumeKeys } from '../src/keys.ts';

const secret = 'a secret of enough bytes';

it('reads its own keys as genuine', () => {
  const keys = new ResumeKeys({ node: 'eu-1.example', secret });
  expect(keys.readKey(keys.issueKey('sid_-1'))).toEqual({ sid: 'sid_-1', node: 'eu-1.example', genuine: true });
});

it('reads the keys of a node with the same secret, and not of others', () => {
  const key = new ResumeKeys({ node: 'a', secret }).issueKey('sid');
  expect(new ResumeKeys({ node: 'b', secret: Buffer.from(secret) }).readKey(key)).toEqual({
    sid: 'sid',
    node: 'a',
    genuine: true,
  });
  expect(new ResumeKeys({ node: 'a' }).readKey(key)).toEqual({ sid: 'sid', node: 'a', genuine: false });
});

it('has a new secret for every process that is given none', () => {
  const key = new ResumeKeys({ node: 'a' }).issueKey('sid');
  expect(new ResumeKeys({ node: 'a' }).readKey(key)?.genuine).toBe(false);
});

it('refuses a secret that can be guessed', () => {
  expect(() => new ResumeKeys({ node: 'a', secret: 'hunter2' })).toThrow(RangeError);
});

it.each(['', 'sid', 'sid.signature', '.a.signature', `${'s'.repeat(65)}.a.x`, `s.${'a'.repeat(260)}.x`])(
  'does not take %j for a key',
  (key) => {
    expect(new ResumeKeys({ node: 'a', secret }).readKey(key)).toBeNull();
  },
);

it('notices every change of a key', () => {
  const keys = new ResumeKeys({ node: 'n', secret });
  const key = keys.issueKey('abcdefgh');
  fc.assert(
    fc.property(fc.nat(key.length - 1), fc.string({ minLength: 0, maxLength: 3, unit: 'binary' }), (at, other) => {
      const changed = key.slice(0, at) + other + key.slice(at + 1);
      fc.pre(changed !== key);
      expect(keys.readKey(changed)?.genuine ?? false).toBe(false);
    }),
  );
});
