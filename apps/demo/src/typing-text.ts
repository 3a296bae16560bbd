import type { Person } from './contract.ts';

/** `Ann is typing…`, `Ann and Ben are typing…`, `Ann, Ben and others are typing…`; empty where nobody is. */
export function typingText(people: readonly Person[]): string {
  const [first, second, ...others] = people;
  if (first === undefined) return '';
  if (second === undefined) return `${first.name} is typing…`;
  if (others.length === 0) return `${first.name} and ${second.name} are typing…`;
  return `${first.name}, ${second.name} and others are typing…`;
}
