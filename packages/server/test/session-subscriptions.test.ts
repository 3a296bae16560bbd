import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SessionSubscriptions } from '../src/session-subscriptions.ts';
import type { Subscription } from '../src/subscription.ts';

const subscription = (name: string) => ({ resolved: { name } }) as Subscription;

it('holds what a map would', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    fc.record({ does: fc.constant('set' as const), name }),
    fc.record({ does: fc.constant('delete' as const), name }),
    fc.record({ does: fc.constant('clear' as const), name }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const map = new Map<string, Subscription>();
      const held = new SessionSubscriptions();
      for (const { does, name: channel } of steps) {
        const made = subscription(channel);
        if (does === 'set') {
          map.set(channel, made);
          held.set(made);
        } else if (does === 'delete') {
          map.delete(channel);
          held.delete(channel);
        } else {
          map.clear();
          held.clear();
        }
        expect(held.size).toBe(map.size);
        expect(new Set(held.values())).toEqual(new Set(map.values()));
        for (const one of ['a', 'b', 'c']) expect(held.get(one)).toBe(map.get(one));
      }
    }),
  );
});
