import { describe, expect, test } from 'vitest';
import { LegacyMap, LegacySet } from '../../src/legacy/collections.ts';
import * as lowered from '../../src/legacy/lowered.ts';
import * as methods from '../../src/legacy/methods.ts';

/** What a function gives, compiled to ECMAScript 5 by the compiler that the build has, on the code that stands for syntax. */
async function run(source: string): Promise<unknown> {
  const { lowerSyntax } = (await import(lowering)) as { lowerSyntax: (text: string) => string };
  const names = ['__assign', '__extends', '__rest', '__spreadArray', '__values'];
  const { assign, extend, rest, spread, walk } = lowered;
  const values = [assign, extend, rest, spread, walk];
  const compiled = lowerSyntax(`(${source})()`);
  expect(compiled).not.toMatch(/=>|\bclass\b|\basync\b|`/);
  const globals = { LegacyMap, LegacySet };
  return new Function(...names, ...Object.keys(globals), `return ${compiled}`)(...values, ...Object.values(globals));
}

const lowering = new URL('../../scripts/legacy-lowering.mjs', import.meta.url).href;

describe('What stands for syntax', () => {
  test('loops walk over arrays, maps and sets, with what is added meanwhile', async () => {
    expect(
      await run(`() => {
        const met = [];
        const set = new LegacySet(['s']);
        for (const item of set) { met.push(item); if (item === 's') set.add('t'); }
        for (const [key, value] of new LegacyMap([['k', 1]])) met.push(key, value);
        const list = [1, 2];
        for (const item of list) { if (item === 2) continue; met.push(item); if (item < 9) list.push(9); }
        for (const item of new LegacySet(['g', 'h', 'i']).entries()) { if (item === 'i') break; met.push(() => item); }
        return met.map((item) => (typeof item === 'function' ? item() : item));
      }`),
    ).toEqual(['s', 't', 'k', 1, 1, 9, 'g', 'h']);
  });

  test('spreads take what can be walked over, and objects', async () => {
    const spread = `() => {
      const { a, ...rest } = { a: 1, ...{ b: 2, c: 3 }, ...null, c: 4 };
      const map = new LegacyMap([['x', 1], ['y', 2]]);
      return [a, rest, [0, ...map.values(), ...map.keys(), ...[3]]];
    }`;
    expect(await run(spread)).toEqual([1, { b: 2, c: 4 }, [0, 1, 2, 'x', 'y', 3]]);
  });

  test('classes have methods, accessors and statics, and extend others', async () => {
    const classes = `() => {
      class Base {
        constructor(n = 1) { this.n = n; }
        get twice() { return 2 * this.n; }
        set twice(n) { this.n = n / 2; }
        name() { return 'base'; }
      }
      class Derived extends Base {
        constructor() { super(4); this.own = () => this.n; }
        name() { return \`derived \${this.n}-\${this.twice}\`; }
        static make() { return new Derived(); }
      }
      const made = Derived.make();
      made.twice = 10;
      return [made.name(), made.own(), made instanceof Base, new Base().twice];
    }`;
    expect(await run(classes)).toEqual(['derived 5-10', 5, true, 2]);
  });

  test('async functions and generators are refused: they would take a machine of states', async () => {
    await expect(run('async () => {}')).rejects.toThrow('async () => {}');
    await expect(run('() => { function* numbers() {} }')).rejects.toThrow('function* numbers() {}');
    await expect(run('() => ({ async late() {} })')).rejects.toThrow('async late() {}');
  });
});

describe('Methods as functions', () => {
  test('do what the methods do', () => {
    const list = [5, 6, 7];
    expect([methods.at(list, -1), methods.at(list, 0), methods.at(list, 3)]).toEqual([7, 5, undefined]);
    expect([methods.find(list, (n) => n === 6), methods.findIndex(list, (n) => n === 7)]).toEqual([6, 2]);
    expect([methods.find(list, () => false), methods.findIndex(list, () => false)]).toEqual([undefined, -1]);
    expect(methods.flatMap(list, (n) => [n, [n]])).toEqual([5, [5], 6, [6], 7, [7]]);
    expect([methods.includes(list, 6), methods.includes(list, 8), methods.includes('abc', 'bc')]).toEqual([
      true,
      false,
      true,
    ]);
    expect([methods.endsWith('a==', '=='), methods.endsWith('a=', '==')]).toEqual([true, false]);
    expect([methods.repeat('=', 2), methods.repeat('=', 0)]).toEqual(['==', '']);
    expect(methods.entries(['a'])).toEqual([[0, 'a']]);
    expect(methods.objectEntries({ a: 1 })).toEqual([['a', 1]]);
    expect([1, 1.5, '1', Number.POSITIVE_INFINITY].map(methods.isInteger)).toEqual([true, false, false, false]);
    expect([2 ** 53 - 1, 2 ** 53].map(methods.isSafeInteger)).toEqual([true, false]);
  });

  test('leave objects theirs', () => {
    const owner = { at: (n: number) => `at ${n}`, find: () => 'found', entries: () => 'entries' };
    expect([methods.at(owner, 1), methods.find(owner, () => true), methods.entries(owner)]).toEqual([
      'at 1',
      'found',
      'entries',
    ]);
  });

  test('define a key that would otherwise be the prototype', () => {
    const made = methods.objectFromEntries([['__proto__', 1]]);
    expect([Object.keys(made), Object.getPrototypeOf(made)]).toEqual([['__proto__'], Object.prototype]);
  });
});
