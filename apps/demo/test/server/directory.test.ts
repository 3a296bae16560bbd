import { expect, it } from 'vitest';
import { Directory } from '../../src/server/directory.ts';

const userId = 'user-00001';

it('takes people at their word', () => {
  const directory = new Directory();
  expect(directory.authenticate({ userId, name: ' Ann ' })).toEqual({ id: userId });
  expect(directory.person({ id: userId })).toEqual({ userId, name: 'Ann' });
});

it.each([
  undefined,
  null,
  'Ann',
  [],
  {},
  { userId },
  { name: 'Ann' },
  { userId: 'x', name: 'Ann' },
  { userId: '../../etc/passwd', name: 'Ann' },
  { userId, name: ' ' },
  { userId, name: 'x'.repeat(33) },
  { userId: 7, name: {} },
])('refuses %j', (auth) => {
  expect(new Directory().authenticate(auth)).toBeNull();
});

it('keeps a new name when the page attaches again with the one it had at first', () => {
  const directory = new Directory();
  directory.authenticate({ userId, name: 'Ann' });
  directory.rename(userId, 'Anna');
  directory.authenticate({ userId, name: 'Ann' });
  expect(directory.person({ id: userId }).name).toBe('Anna');
});

it('forgets the oldest names rather than growing without end', () => {
  const directory = new Directory();
  directory.rename(userId, 'Ann');
  for (let i = 0; i < 10_000; i++) directory.rename(`other-${i}`, 'Other');
  expect(directory.person({ id: userId }).name).toBe('Someone');
  expect(directory.person({ id: 'other-9999' }).name).toBe('Other');
});
