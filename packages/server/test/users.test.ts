import { expect, it } from 'vitest';
import type { AppSession } from '../src/app-session.ts';
import { Users } from '../src/users.ts';

const session = (userId: string) => ({ userId }) as AppSession<{ id: string }>;

it('knows the sessions of a user, be it one or several', () => {
  const users = new Users();
  const [first, second, third, other] = [session('ann'), session('ann'), session('ann'), session('bob')];
  users.add(first);
  users.add(other);
  expect(users.sessionsOf('ann')).toEqual([first]);
  users.add(second);
  users.add(third);
  users.delete(first);
  users.delete(first);
  expect(users.sessionsOf('ann')).toEqual([second, third]);
  users.delete(second);
  users.delete(third);
  expect([users.sessionsOf('ann'), users.sessionsOf('bob'), users.sessionsOf('eve')]).toEqual([[], [other], []]);
  users.add(first);
  users.delete(second);
  expect(users.sessionsOf('ann')).toEqual([first]);
});
