import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePatterns, formatChannel, matchChannel, parsePattern } from '../../src/contract/index.ts';

/** `formatChannel` as plain JavaScript calls it. */
const untyped = formatChannel as (pattern: string, params: unknown) => string;
const invalidContract = expect.objectContaining({ code: 'contract_invalid' });
const invalidChannel = expect.objectContaining({ code: 'channel_invalid' });

describe('parsePattern', () => {
  it('takes a pattern apart', () => {
    expect(parsePattern('a.b/:c/D-1_~')).toEqual([
      { kind: 'literal', name: 'a.b' },
      { kind: 'param', name: 'c' },
      { kind: 'literal', name: 'D-1_~' },
    ]);
  });

  it.each([
    ['', /a segment is empty/],
    ['/room', /a segment is empty/],
    ['room/', /a segment is empty/],
    ['a//b', /a segment is empty/],
    ['room/:', /a parameter has no name/],
    ['room/:1', /:1 must be a letter, then letters/],
    ['room/:__proto__', /:__proto__ must be a letter/],
    ['room/:a-b', /:a-b must be a letter/],
    ['$room', /names that begin with \$ are reserved/],
    ['room/$x', /names that begin with \$ are reserved/],
    ['room/:$x', /names that begin with \$ are reserved/],
    ['room/:a/:a', /:a stands in it twice/],
    ['room:a', /"room:a" may have letters, digits/],
    ['räume', /may have letters, digits/],
    ['a%20b', /may have letters, digits/],
    ['a b', /may have letters, digits/],
    ['a*', /may have letters, digits/],
    ['a'.repeat(65), /a segment may have 64 characters/],
    [Array.from({ length: 17 }, () => 'a').join('/'), /it may have 16 segments/],
    ['a'.repeat(257), /it may have 256 characters/],
    [undefined as unknown as string, /it must be a string/],
  ])('refuses %j', (pattern, message) => {
    expect(() => parsePattern(pattern)).toThrow(invalidContract);
    expect(() => parsePattern(pattern)).toThrow(message);
  });
});

describe('formatChannel', () => {
  it('puts parameters in place of their names', () => {
    expect(formatChannel('ticker', {})).toBe('ticker');
    expect(formatChannel('a/:b/c/:d', { b: '1', d: '2' })).toBe('a/1/c/2');
  });

  it('encodes what would have a meaning in a name', () => {
    expect(formatChannel('room/:roomId', { roomId: 'a/b c%$:é😀' })).toBe('room/a%2Fb%20c%25%24%3A%C3%A9%F0%9F%98%80');
  });

  it.each([
    [{}, /:roomId is undefined; it must be a string/],
    [undefined, /:roomId is undefined/],
    [null, /:roomId is undefined/],
    ['lobby', /:roomId is undefined/],
    [{ roomId: 7 }, /:roomId is number; it must be a string/],
    [{ roomId: '' }, /:roomId is empty/],
    [{ roomId: 'a\ud800' }, /not well-formed Unicode/],
    [{ roomId: 'a', rewind: 50 }, /it has no parameter "rewind"/],
    [{ roomId: 'a'.repeat(252) }, /the name has 257 characters when encoded; it may have 256/],
    [{ roomId: 'é'.repeat(42) }, /the name has 257 characters when encoded/],
    [{ roomId: 'a'.repeat(1_000_000) }, /:roomId is longer than 256/],
    [Object.create({ roomId: 'inherited' }), /:roomId is undefined/],
  ])('refuses %j', (params, message) => {
    expect(() => untyped('room/:roomId', params)).toThrow(invalidChannel);
    expect(() => untyped('room/:roomId', params)).toThrow(message);
  });

  it('fills a name to its limit', () => {
    expect(formatChannel('room/:roomId', { roomId: 'a'.repeat(251) })).toHaveLength(256);
  });
});

describe('matchChannel', () => {
  const tree = compilePatterns([
    'room/:roomId',
    'room/lobby',
    'a/:b/c/:d',
    'a/x/:y',
    'ticker',
    'user/:userId/:part',
    'user/:id/feed',
  ]);

  it.each([
    ['ticker', { pattern: 'ticker', params: {} }],
    ['room/lobby', { pattern: 'room/lobby', params: {} }],
    ['room/other', { pattern: 'room/:roomId', params: { roomId: 'other' } }],
    ['room/a%2Fb', { pattern: 'room/:roomId', params: { roomId: 'a/b' } }],
    ['room/%24x', { pattern: 'room/:roomId', params: { roomId: '$x' } }],
    ['room/__proto__', { pattern: 'room/:roomId', params: { roomId: '__proto__' } }],
    ['a/x/c', { pattern: 'a/x/:y', params: { y: 'c' } }],
    ['a/1/c/2', { pattern: 'a/:b/c/:d', params: { b: '1', d: '2' } }],
    // The literal `x` leads to no pattern of this length, so the parameter is tried after it.
    ['a/x/c/2', { pattern: 'a/:b/c/:d', params: { b: 'x', d: '2' } }],
    ['user/1/feed', { pattern: 'user/:id/feed', params: { id: '1' } }],
    ['user/1/mail', { pattern: 'user/:userId/:part', params: { userId: '1', part: 'mail' } }],
  ])('finds %s', (name, match) => {
    expect(matchChannel(tree, name)).toEqual(match);
  });

  it.each([
    [''],
    ['/'],
    ['room'],
    ['room/'],
    ['room/a/b'],
    ['Ticker'],
    ['ticker/'],
    ['__proto__'],
    ['constructor'],
    ['room/:roomId'],
    ['room/a b'],
    ['room/é'],
    ['room/%'],
    ['room/%zz'],
    ['room/%ff'],
    // Other spellings of room/a, room/a%2Fb and ticker.
    ['room/%61'],
    ['room/a%2fb'],
    ['tick%65r'],
    [`room/${'a'.repeat(252)}`],
    ['/'.repeat(256)],
    ['/'.repeat(1_000_000)],
    [7 as unknown as string],
    [undefined as unknown as string],
  ])('knows no %j', (name) => {
    expect(matchChannel(tree, name)).toBeNull();
  });

  it('never throws, and knows only names that it would write itself', () => {
    const name = fc.oneof(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
      fc
        .array(
          fc.constantFrom('room', 'lobby', 'a', 'x', 'c', 'user', 'feed', '/', '/', '%', '%2F', '%61', ':b', '$', ''),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(name, (channel) => {
        const match = matchChannel(tree, channel);
        expect(match === null || untyped(match.pattern, match.params) === channel).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives back every parameter that fits a name', () => {
    const param = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(param, param, (b, d) => {
        fc.pre(b !== 'x' || d !== 'c');
        const name = formatChannel('a/:b/c/:d', { b, d });
        expect(matchChannel(tree, name)).toEqual({ pattern: 'a/:b/c/:d', params: { b, d } });
        expect(name).toMatch(/^[\x21-\x7e]+$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives different parameters different names', () => {
    const param = fc.string({ unit: 'binary', minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(param, param, (one, other) => {
        fc.pre(one !== other);
        expect(formatChannel('room/:roomId', { roomId: one })).not.toBe(
          formatChannel('room/:roomId', { roomId: other }),
        );
      }),
    );
  });
});

describe('compilePatterns', () => {
  it.each([
    ['the same', ['a/b', 'a/b']],
    ['the same but for names', ['room/:a', 'room/:b']],
    ['each more literal somewhere', [':a/x', 'y/:b']],
    ['each more literal somewhere, deep down', ['a/:b/c/:d', 'a/x/:y/:z']],
  ])('refuses two patterns that are %s', (_how, patterns) => {
    expect(() => compilePatterns(patterns)).toThrow(invalidContract);
    expect(() => compilePatterns(patterns)).toThrow(/matches the same channels/);
  });

  it.each([
    ['one is the more literal', ['room/:a', 'room/lobby']],
    ['they differ in a literal', [':a/x', ':a/y', 'b/:c/d', 'c/:b/d']],
    ['they differ in length', [':a', ':a/:b', ':a/:b/:c']],
  ])('accepts patterns where %s', (_why, patterns) => {
    expect(compilePatterns(patterns).end).toBeNull();
  });

  it('finds the most literal of the patterns that match, whatever their order', () => {
    const part = fc.constantFrom('a', 'b', ':x');
    const patterns = fc.uniqueArray(
      fc
        .tuple(part, part, part)
        .map((parts) => parts.map((text, index) => (text === ':x' ? `:p${index}` : text)).join('/')),
    );
    const name = fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('a', 'b', 'c'),
    );
    fc.assert(
      fc.property(patterns, name, (all, parts) => {
        const accepted: string[] = [];
        for (const pattern of all) if (isAccepted([...accepted, pattern])) accepted.push(pattern);
        const matching = accepted.filter((pattern) =>
          parsePattern(pattern).every((segment, index) => segment.kind === 'param' || segment.name === parts[index]),
        );
        const literals = (pattern: string) =>
          parsePattern(pattern).filter((segment) => segment.kind === 'literal').length;
        const [best = null] = matching.sort((a, b) => literals(b) - literals(a));
        expect(matchChannel(compilePatterns(accepted), parts.join('/'))?.pattern ?? null).toBe(best);
      }),
    );
  });

  it('holds as many patterns as its limit and no more', () => {
    const patterns = Array.from({ length: 1_000 }, (_, index) => `room-${index}/:id`);
    expect(matchChannel(compilePatterns(patterns), 'room-999/x')?.pattern).toBe('room-999/:id');
    expect(() => compilePatterns([...patterns, 'one-more'])).toThrow(/a contract may have 1000 patterns/);
  });
});

function isAccepted(patterns: readonly string[]): boolean {
  try {
    compilePatterns(patterns);
    return true;
  } catch {
    return false;
  }
}
