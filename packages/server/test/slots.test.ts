import { expect, it } from 'vitest';
import { Slots } from '../src/slots.ts';

function setUp(count: number) {
  const slots = new Slots(count);
  const entered: string[] = [];
  return { entered, take: (name: string) => slots.take(() => entered.push(name)) };
}

it('lets in as many as there are slots, and the others as they come free, the first one first', () => {
  const { entered, take } = setUp(2);
  const [leaveA] = [take('a'), take('b'), take('c'), take('d')];
  expect(entered).toEqual(['a', 'b']);
  leaveA();
  expect(entered).toEqual(['a', 'b', 'c']);
});

it('gives a slot back once only', () => {
  const { entered, take } = setUp(1);
  const leaveA = take('a');
  take('b');
  take('c');
  leaveA();
  leaveA();
  expect(entered).toEqual(['a', 'b']);
});

it('passes over who has called off the wait, and lets nobody in for that', () => {
  const { entered, take } = setUp(1);
  const leaveA = take('a');
  const leaveB = take('b');
  take('c');
  leaveB();
  expect(entered).toEqual(['a']);
  leaveA();
  expect(entered).toEqual(['a', 'c']);
});
