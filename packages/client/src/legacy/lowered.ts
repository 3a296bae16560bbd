/**
 * What stands in compiled code in place of syntax that ECMAScript 5 does not have. The compiler (TypeScript, whose own helpers would need globals that
 * such engines lack) calls these by the names under which the bundle exports them.
 */
import type { Walk } from './collections.ts';

export interface Walkable {
  readonly next?: unknown;
  readonly entries?: unknown;
  readonly length?: number;
  readonly [index: number]: unknown;
}

/** `for … of`: over an array, a map, a set, or one of their iterators. */
export function walk(
  walked: Walkable & { readonly length?: number; readonly [index: number]: unknown },
): Walk<unknown> {
  if (walked.next !== undefined) return walked as Walk<unknown>;
  if (walked.length === undefined) return (walked.entries as () => Walk<unknown>).call(walked);
  let i = 0;
  return {
    next: () =>
      i < (walked.length as number) ? { done: false, value: walked[i++] } : { done: true, value: undefined },
  };
}

/** `[...from]`, after what is there already. */
export function spread(to: readonly unknown[], from: Walkable): unknown[] {
  const list = to.slice();
  for (let way = walk(from), step = way.next(); !step.done; step = way.next()) list.push(step.value);
  return list;
}

/** `{ ...from }` */
export function assign(to: Record<string, unknown>, ...from: readonly unknown[]): Record<string, unknown> {
  for (const given of from) {
    const properties = Object(given) as Record<string, unknown>;
    for (const key of Object.keys(properties)) to[key] = properties[key];
  }
  return to;
}

/** `const { a, ...rest } = from` */
export function rest(from: Record<string, unknown>, without: readonly string[]): object {
  const to = assign({}, from);
  for (const key of without) delete to[key];
  return to;
}

/** `class derived extends base { …members }` */
export function extend(derived: { prototype: object }, base: { prototype: object }, members: object): void {
  const prototype: object = Object.create(base.prototype);
  for (const name of Object.keys(members)) {
    Object.defineProperty(prototype, name, Object.getOwnPropertyDescriptor(members, name) as PropertyDescriptor);
  }
  derived.prototype = prototype;
}
