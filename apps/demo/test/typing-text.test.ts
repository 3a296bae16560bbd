import { expect, it } from 'vitest';
import { typingText } from '../src/typing-text.ts';

it.each([
  [[], ''],
  [['Ann'], 'Ann is typing…'],
  [['Ann', 'Ben'], 'Ann and Ben are typing…'],
  [['Ann', 'Ben', 'Cleo', 'Dan'], 'Ann, Ben and others are typing…'],
])('names those who type: %j', (names, text) => {
  expect(typingText(names.map((name) => ({ userId: name, name })))).toBe(text);
});
