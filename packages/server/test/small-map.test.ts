import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SmallMap } from '../src/small-map.ts';

it('holds what a map would', () => {
  const key = fc.constantFrom('', 'a', 'b', 'c');
  const step = fc.record({ does: fc.constantFrom('set' as const, 'delete' as const), key });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const map = new Map<string, object>();
      const small = new SmallMap<string, object>();
      for (const { does, key: at } of steps) {
        const value = {};
        if (does === 'set') {
          map.set(at, value);
          small.set(at, value);
        } else {
          map.delete(at);
          small.delete(at);
        }
        expect(small.size).toBe(map.size);
        expect(small.keys().sort()).toEqual([...map.keys()].sort());
        expect(new Set(small.values())).toEqual(new Set(map.values()));
        for (const one of ['', 'a', 'b', 'c']) expect(small.get(one)).toBe(map.get(one));
      }
    }),
  );
});
