/** What clients ask for by pages: how the page is named, and how much of it fits one answer. */
import { type Position, RunnelError } from '@runnel/protocol';
import type { ReadQuery } from './brokers/broker.ts';

/** Messages of one page of history. */
const HISTORY = { default: 50, max: 256 } as const;
/** Members of one page. */
const MEMBERS_MAX = 1_000;

/** `{since?, before?, limit?}` @throws RunnelError `validation_failed` */
export function historyQuery(asked: unknown): ReadQuery {
  const { since, before, limit = HISTORY.default } = fieldsOf(asked);
  if (!isCount(limit) || limit < 1) throw invalidQuery('limit', 'a whole number from 1');
  if (before !== undefined && !isCount(before)) throw invalidQuery('before', 'an offset');
  if (since !== undefined && !isPosition(since)) throw invalidQuery('since', '{epoch, offset}');
  return { since, before, limit: Math.min(limit, HISTORY.max) };
}

/** `{skip?, limit?}` @throws RunnelError `validation_failed` */
export function membersQuery(asked: unknown): { readonly skip: number; readonly limit: number } {
  const { skip = 0, limit = MEMBERS_MAX } = fieldsOf(asked);
  if (!isCount(limit) || limit < 1) throw invalidQuery('limit', 'a whole number from 1');
  if (!isCount(skip)) throw invalidQuery('skip', 'a whole number');
  return { skip, limit: Math.min(limit, MEMBERS_MAX) };
}

/** As many of the encoded items as `sizeMax` takes, but one at least: the last ones, or those that come first. */
export function fitting(items: readonly string[], sizeMax: number, end: 'first' | 'last'): readonly string[] {
  const ordered = end === 'last' ? [...items].reverse() : items;
  let size = 0;
  let count = 0;
  for (const { length } of ordered) {
    size += length;
    if (count > 0 && size > sizeMax) break;
    count += 1;
  }
  return end === 'last' ? items.slice(items.length - count) : items.slice(0, count);
}

const fieldsOf = (asked: unknown): { readonly [name: string]: unknown } =>
  typeof asked === 'object' && asked !== null ? (asked as { readonly [name: string]: unknown }) : {};

function invalidQuery(field: string, what: string): RunnelError {
  const message = `it must be ${what}`;
  return new RunnelError('validation_failed', `${field} of a query is invalid: ${message}`, {
    data: { issues: [{ path: [field], message }] },
  });
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, offset } = value as { readonly epoch?: unknown; readonly offset?: unknown };
  return typeof epoch === 'string' && isCount(offset);
}
