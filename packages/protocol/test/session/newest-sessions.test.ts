import { expect, it } from 'vitest';
import { NewestSessions } from '../../src/session/server/newest-sessions.ts';

const session = (id: string, cid: string) => ({ cid, identity: { id } });

it('finds the newest session of a client, and nobody else’s of the same name', () => {
  const newest = new NewestSessions();
  const [older, newer, other, third] = [session('a', 'c'), session('a', 'c'), session('b', 'c'), session('x', 'c')];
  newest.add(older);
  expect([newest.get('a', 'c'), newest.get('b', 'c'), newest.get('a', 'd')]).toEqual([older, undefined, undefined]);
  newest.add(newer);
  newest.add(other);
  newest.add(third);
  expect(newest.get('a', 'c')).toBe(newer);
  expect(newest.get('b', 'c')).toBe(other);
  expect(newest.get('x', 'c')).toBe(third);
  newest.add(older);
  expect(newest.get('a', 'c')).toBe(older);
});

it('forgets a session only where it is the newest of its client', () => {
  const newest = new NewestSessions();
  const [older, newer, other] = [session('a', 'c'), session('a', 'c'), session('b', 'c')];
  newest.add(older);
  newest.add(newer);
  newest.delete(older);
  expect(newest.get('a', 'c')).toBe(newer);
  newest.add(other);
  newest.delete(older);
  expect(newest.get('a', 'c')).toBe(newer);
  newest.delete(newer);
  expect([newest.get('a', 'c'), newest.get('b', 'c')]).toEqual([undefined, other]);
  newest.delete(other);
  expect(newest.get('b', 'c')).toBeUndefined();
  newest.add(older);
  expect(newest.get('a', 'c')).toBe(older);
  newest.delete(older);
  expect(newest.get('a', 'c')).toBeUndefined();
});
