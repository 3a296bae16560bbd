import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LegacyMap, LegacySet, type Walk } from '../../src/legacy/collections.ts';

function listOf<T>(walk: Walk<T>): T[] {
  const list: T[] = [];
  for (let step = walk.next(); !step.done; step = walk.next()) list.push(step.value);
  return list;
}

const objects = [{ name: 'a' }, { name: 'b' }, () => 'c'];
const key = fc.constantFrom<unknown>(
  'a',
  'b',
  '1',
  '__proto__',
  'hasOwnProperty',
  1,
  2,
  Number.NaN,
  null,
  undefined,
  true,
  ...objects,
);

/** Something that is done to a map, as a row of a table: what, with which key. */
const command = fc.record({ what: fc.constantFrom('set', 'set', 'delete', 'clear', 'step', 'walk'), key });

describe('LegacyMap', () => {
  test('is what Map is, also while it is walked over', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const [map, model] = [new LegacyMap<unknown, number>(), new Map<unknown, number>()];
        let walks = [map.entries(), model.entries()] as const;
        commands.forEach(({ what, key }, n) => {
          if (what === 'set') [map.set(key, n), model.set(key, n)];
          else if (what === 'delete') expect(map.delete(key)).toBe(model.delete(key));
          else if (what === 'clear') [map.clear(), model.clear()];
          else if (what === 'walk') walks = [map.entries(), model.entries()];
          else expect(walks[0].next()).toEqual({ done: false, ...walks[1].next() });
          expect([map.get(key), map.has(key), map.size]).toEqual([model.get(key), model.has(key), model.size]);
        });
        expect(listOf(map.entries())).toEqual([...model]);
        expect([listOf(map.keys()), listOf(map.values())]).toEqual([[...model.keys()], [...model.values()]]);
        expect(listOf(walks[0])).toEqual([...walks[1]]);
      }),
    );
  });

  test('is made of entries, of which the last of a key counts', () => {
    expect(
      listOf(
        new LegacyMap([
          ['a', 1],
          ['b', 2],
          ['a', 3],
        ]).entries(),
      ),
    ).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
  });
});

describe('LegacySet', () => {
  test('holds each item once, in the order in which they came', () => {
    const set = new LegacySet(['b', 'a', 'b']);
    set.add('c').add('a');
    expect([listOf(set.entries()), set.size, set.has('a'), set.has('d')]).toEqual([['b', 'a', 'c'], 3, true, false]);
  });

  test('tells a number from its digits', () => {
    expect(new LegacySet<unknown>([1]).has('1')).toBe(false);
  });

  test('is walked over to what is added meanwhile', () => {
    const set = new LegacySet([1]);
    const walk = set.entries();
    const met: number[] = [];
    for (let step = walk.next(); !step.done; step = walk.next()) {
      met.push(step.value);
      set.delete(step.value);
      if (step.value < 3) set.add(step.value + 1);
    }
    expect([met, set.size]).toEqual([[1, 2, 3], 0]);
  });
});
