/** What the two readers have in common: parsing a line, and holding its elements against the form of its type. */
import { fromWire } from './binary.ts';
import { isCounted } from './frames.ts';
import { violation } from './violation.ts';

export type Check = (value: unknown) => boolean;

/** The checks of the elements after the type, by type. */
export type Forms = Readonly<Record<number, readonly Check[]>>;

export const int: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const id: Check = (value) => int(value) && value !== 0;
export const text: Check = (value) => typeof value === 'string';
export const flag: Check = (value) => typeof value === 'boolean';
/** Any JSON value, but there must be one. */
export const data: Check = (value) => value !== undefined;
export const bit: Check = (value) => value === 0 || value === 1;

export function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

export function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every((item) => check(item));
}

export function tuple(...checks: readonly Check[]): Check {
  return (value) => Array.isArray(value) && checks.every((check, i) => check(value[i]));
}

/** An object with these fields; others are ignored. */
export function fields(checks: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(checks);
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    entries.every(([name, check]) => check((value as Record<string, unknown>)[name]));
}

/** The frame on `line`, or null for a control frame that `forms` does not have. @throws RunnelError `protocol_error` */
export function readFrame(line: string, forms: Forms): readonly [type: number, ...unknown[]] | null {
  let frame: unknown;
  try {
    frame = JSON.parse(line);
  } catch {
    throw violation('A line is not JSON.');
  }
  // A sign that some key begins with `$`, which may also be written as an escape; all other lines are spared the walk.
  if (/"(?:\$|\\u0024)/.test(line)) frame = fromWire(frame);
  const type: unknown = Array.isArray(frame) ? frame[0] : undefined;
  if (!int(type)) throw violation('A line does not begin with a frame type.');
  const form = forms[type as number];
  if (!form) {
    // PROTOCOL §2: to ignore a counted frame would be to lose it.
    if (isCounted(type as number)) throw violation(`Frame type ${type} is unknown.`);
    return null;
  }
  for (let i = 0; i < form.length; i++) {
    if (!form[i]?.((frame as unknown[])[i + 1]))
      throw violation(`Element ${i + 1} of a frame of type ${type} is not valid.`);
  }
  return frame as [number, ...unknown[]];
}
