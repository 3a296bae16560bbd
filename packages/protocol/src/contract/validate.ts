import { RunnelError } from '../errors.ts';
import { contractLimits } from './limits.ts';
import type { OutputOf, StandardIssue, StandardResult, StandardSchema } from './standard-schema.ts';

/** One reason why a payload was refused. Safe to send: bounded in number, depth and length. */
export interface ValidationIssue {
  /** Where in the payload: keys and indexes from the outside in; empty for the payload itself. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The outcome of {@link validate}. */
export type Validation<Output> =
  | { readonly ok: true; readonly value: Output }
  | { readonly ok: false; readonly issues: readonly ValidationIssue[] };

/**
 * Runs a schema over a value. The answer is a promise only if the schema's own is, so that the usual synchronous schema
 * costs no turn of the event loop.
 *
 * @throws what the schema throws or rejects with: that is a fault in the app's own schema, not in the value
 */
export function validate<S extends StandardSchema>(
  schema: S,
  value: unknown,
): Validation<OutputOf<S>> | Promise<Validation<OutputOf<S>>> {
  const result = schema['~standard'].validate(value);
  return isThenable(result) ? result.then((settled) => conclude<S>(settled)) : conclude<S>(result);
}

/**
 * Runs a schema over a value and gives its output, or fails.
 *
 * @param subject what the value is, for the message: `'event message of room/lobby'`
 * @throws RunnelError `validation_failed` with `data: { issues }`, thrown or rejected; and as {@link validate}
 */
export function validateOrThrow<S extends StandardSchema>(
  schema: S,
  value: unknown,
  subject: string,
): OutputOf<S> | Promise<OutputOf<S>> {
  const outcome = validate(schema, value);
  return isThenable(outcome) ? outcome.then((settled) => unwrap(settled, subject)) : unwrap(outcome, subject);
}

/** The error for a refused payload: its message names the subject and the first issue, its data holds all of them. */
export function validationError(subject: string, issues: readonly ValidationIssue[]): RunnelError {
  const [issue] = issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
  const why = issue === undefined ? 'the schema gave no reason' : issue.message;
  return new RunnelError('validation_failed', `${subject} is invalid${where}: ${why}`, { data: { issues } });
}

function unwrap<Output>(outcome: Validation<Output>, subject: string): Output {
  if (outcome.ok) return outcome.value;
  throw validationError(subject, outcome.issues);
}

function conclude<S extends StandardSchema>(result: StandardResult<unknown>): Validation<OutputOf<S>> {
  if (result.issues) return { ok: false, issues: first(result.issues, contractLimits.issuesMax).map(boundIssue) };
  return { ok: true, value: result.value as OutputOf<S> };
}

// A schema quotes what it was given, so issues are as long as an attacker likes until they are cut here.
function boundIssue(issue: StandardIssue): ValidationIssue {
  const path = first(issue.path ?? [], contractLimits.issuePathMax).map((part) => {
    const key = typeof part === 'object' ? part.key : part;
    return typeof key === 'number' ? key : shorten(String(key), contractLimits.nameLengthMax);
  });
  return { path, message: shorten(String(issue.message), contractLimits.issueMessageLengthMax) };
}

// Not `slice`: some libraries hand out subclasses of Array, which it would construct anew.
function first<T>(list: Iterable<T>, lengthMax: number): T[] {
  const taken: T[] = [];
  for (const item of list) {
    if (taken.length === lengthMax) break;
    taken.push(item);
  }
  return taken;
}

function shorten(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  // A cut between surrogates would leave half a character, which UTF-8 cannot carry.
  const last = text.charCodeAt(lengthMax - 2);
  const end = last >= 0xd800 && last <= 0xdbff ? lengthMax - 2 : lengthMax - 1;
  return `${text.slice(0, end)}…`;
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
