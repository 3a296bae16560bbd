/**
 * What stands in compiled code in place of syntax that ECMAScript 5 does not have. The compiler (TypeScript, whose own helpers would need globals that
 * such engines lack) calls these by the names under which the bundle exports them.
 */
import type { Walk } from './collections.ts';
import { Thenable } from './thenable.ts';

export interface Walkable {
  readonly next?: unknown;
  readonly entries?: unknown;
  readonly length?: number;
  readonly [index: number]: unknown;
}

/** `for … of` and `yield*`: over an array, a map, a set, one of their iterators, or a generator. */
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

/** Where a generator's body stands, and what was sent to it. */
interface State {
  label: number;
  /** Gives what was sent into it, or throws what was thrown into it. */
  sent: () => unknown;
  readonly trys: Region[];
  /** What goes on when a `finally` is done. */
  readonly ops: Operation[];
}

/** The labels at which a `try`, its `catch` and its `finally` begin, and of what follows. */
type Region = readonly [tried: number, caught: number | undefined, last: number | undefined, next: number];

/** 0 next, 1 throw, 2 return, 3 break, 4 yield, 5 yield*, 6 thrown by the body, 7 end of finally. */
type Operation = readonly [code: number, value?: unknown];

type Step = ReturnType<Walk<unknown>['next']>;

interface Generated {
  next(sent?: unknown): Step;
  throw(error: unknown): Step;
}

/** A generator, from a body that says at each step what comes next. Its machine is that of TypeScript's `__generator`. */
export function generator(self: unknown, body: (state: State) => Operation): Generated {
  const state: State = { label: 0, sent: () => undefined, trys: [], ops: [] };
  /** The walk of a `yield*` that is under way. */
  let inner: Walk<unknown> | null = null;
  /** How it has ended; null while it goes on. */
  let end: Operation | null = null;

  /** Does what the body said; true: the body goes on. */
  const enter = (operation: Operation): boolean => {
    const [code, value] = operation;
    const [tried, caught, last, next] = state.trys[state.trys.length - 1] ?? NOWHERE;
    const label = value as number;
    if (code < 2) state.sent = code === 1 ? thrower(value) : () => value;
    else if (code === 7) {
      state.trys.pop();
      return enter(state.ops.pop() as Operation);
    } else if (tried < 0 && code !== 3) {
      end = operation;
      return false;
    } else if (code === 3 && (tried < 0 || (label > tried && label < next))) state.label = label;
    else if (code === 6 && caught !== undefined && state.label < caught) {
      state.label = caught;
      state.sent = () => value;
    } else if (last !== undefined && state.label < last) {
      state.label = last;
      state.ops.push(operation);
    } else {
      if (last !== undefined) state.ops.pop();
      state.trys.pop();
      return enter(operation);
    }
    return true;
  };

  const step = (sent: Operation): Step => {
    let operation = sent;
    for (;;) {
      if (inner !== null) {
        const result = inner.next();
        if (!result.done) return result;
        inner = null;
        operation = [0, result.value];
      }
      if (end !== null || !enter(operation)) break;
      try {
        operation = body.call(self as never, state);
      } catch (error) {
        operation = [6, error];
      }
      if (operation[0] === 4 || operation[0] === 5) {
        state.label += 1;
        if (operation[0] === 4) return { done: false, value: operation[1] };
        inner = walk(operation[1] as Walkable);
      }
    }
    const [code, value] = end as unknown as Operation;
    end = [2];
    if (code === 6) throw value;
    return { done: true, value };
  };
  return { next: (value) => step([0, value]), throw: (error) => step([1, error]) };
}

const NOWHERE: Region = [-1, undefined, undefined, -1];

function thrower(error: unknown): () => never {
  return () => {
    throw error;
  };
}

/** An async function, from its body as a generator. */
export function awaiter(self: unknown, _arguments: unknown, _promise: unknown, body: () => Generated): Thenable {
  return new Thenable((resolve, reject) => {
    const generated = body.call(self as never);
    const step = (advance: () => ReturnType<Generated['next']>): void => {
      try {
        const { done, value } = advance();
        if (done) resolve(value);
        else Thenable.resolve(value).then(next, fail);
      } catch (error) {
        reject(error);
      }
    };
    const next = (value?: unknown): void => step(() => generated.next(value));
    const fail = (error: unknown): void => step(() => generated.throw(error));
    next();
  });
}
