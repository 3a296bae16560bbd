/**
 * Methods and functions that ECMAScript 5 does not have, as functions: the build puts `find(list, wanted)` in place of `list.find(wanted)`, and `assign`
 * in place of `Object.assign`. It does not know what is an array: an object with a method of the name keeps it.
 */
import { assign, type Walkable, walk } from './lowered.ts';

type Method = (...args: readonly unknown[]) => unknown;
/** One that has such a method of its own. */
type Owner = Readonly<Record<string, Method>>;

export function at(from: unknown, index: number): unknown {
  if (!Array.isArray(from)) return ((from as Owner)['at'] as Method)(index);
  return from[index < 0 ? from.length + index : index];
}

export function find(from: unknown, wanted: (item: unknown) => boolean): unknown {
  return Array.isArray(from) ? from[findIndex(from, wanted)] : ((from as Owner)['find'] as Method)(wanted);
}

export function findIndex(list: readonly unknown[], wanted: (item: unknown) => boolean): number {
  for (let i = 0; i < list.length; i++) if (wanted(list[i])) return i;
  return -1;
}

export function flatMap(list: readonly unknown[], map: (item: unknown) => unknown): unknown[] {
  return ([] as unknown[]).concat(...list.map(map));
}

/** In an array or in a string. */
export function includes(from: { indexOf(item: unknown): number }, item: unknown): boolean {
  return from.indexOf(item) !== -1;
}

export function endsWith(text: string, end: string): boolean {
  return text.slice(-end.length) === end;
}

export function repeat(text: string, times: number): string {
  return new Array(times + 1).join(text);
}

/** Of an array, a map or a set. */
export function entries(from: unknown): unknown {
  return Array.isArray(from) ? from.map((item, i) => [i, item]) : ((from as Owner)['entries'] as Method)();
}

export function objectEntries(from: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.keys(from).map((key) => [key, from[key]]);
}

/** Defines, where an assignment to `__proto__` would not. */
export function objectFromEntries(pairs: Walkable): object {
  const to = {};
  for (let way = walk(pairs), step = way.next(); !step.done; step = way.next()) {
    const [key, value] = step.value as [string, unknown];
    Object.defineProperty(to, key, { value, configurable: true, enumerable: true, writable: true });
  }
  return to;
}

export const objectAssign: typeof assign = assign;

export function isInteger(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) < Number.POSITIVE_INFINITY && Math.floor(value) === value;
}

export function isSafeInteger(value: unknown): boolean {
  return isInteger(value) && Math.abs(value as number) <= 2 ** 53 - 1;
}

/** A name that no other code has, in place of a symbol. */
export function symbolFor(name: string): string {
  return `@@${name}`;
}
