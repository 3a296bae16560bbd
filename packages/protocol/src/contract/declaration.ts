// The checks that `channel()` makes. A definition is the app's own code, so whatever is wrong with it throws at once; the
// compiler has already refused most of this, but plain JavaScript and casts get here too.
import { isCode, RunnelError } from '../errors.ts';
import type { Definition } from './channel.ts';
import { type Duration, parseDurationMs } from './duration.ts';
import { contractLimits } from './limits.ts';
import { isStandardSchema } from './standard-schema.ts';

const definitionKeys: ReadonlySet<string> = new Set<keyof Definition>([
  'events',
  'publish',
  'requests',
  'presence',
  'history',
  'snapshot',
  'onSlow',
]);
const requestKeys: ReadonlySet<string> = new Set(['input', 'output', 'errors', 'yields', 'idempotent']);
const presenceKeys: ReadonlySet<string> = new Set(['input', 'member']);
const historyKeys: ReadonlySet<string> = new Set(['size', 'ttl']);

/**
 * Checks one channel's definition.
 *
 * @throws RunnelError `contract_invalid`, naming the option, what it is and what it may be
 */
export function checkDefinition(definition: Definition): void {
  const given = entriesOf('a channel', definition, definitionKeys);
  const events = namedEntries('events', definition.events);
  if (events.size === 0) throw invalid('events is empty: a channel declares at least one event');
  for (const [name, declaration] of events) checkEvent(`events.${name}`, declaration);
  if (given.has('publish')) checkPublish(definition.publish, events);
  if (given.has('requests')) {
    for (const [name, request] of namedEntries('requests', definition.requests))
      checkRequest(`requests.${name}`, request);
  }
  if (given.has('presence')) checkPresence(definition.presence);
  if (given.has('history')) checkHistory(definition.history);
  if (given.has('snapshot')) checkSchema('snapshot', definition.snapshot);
  if (given.has('onSlow') && definition.onSlow !== 'disconnect' && definition.onSlow !== 'drop-oldest') {
    throw invalid(`onSlow is ${shown(definition.onSlow)}; it may be 'disconnect' or 'drop-oldest'`);
  }
}

function checkEvent(at: string, declaration: unknown): void {
  const kind = kindOf(declaration);
  if (kind !== 'volatile' && kind !== 'latest') {
    checkSchema(at, declaration);
    return;
  }
  const { schema, key } = declaration as { schema?: unknown; key?: unknown };
  checkSchema(at, schema);
  if (kind === 'latest' && typeof key !== 'function') {
    throw invalid(`${at}: the key of latestBy is ${shown(key)}; it must be a function`);
  }
}

function checkPublish(publish: unknown, events: ReadonlyMap<string, unknown>): void {
  for (const [name, declaration] of namedEntries('publish', publish)) {
    const at = `publish.${name}`;
    if (kindOf(declaration) === 'latest') {
      throw invalid(`${at} is latestBy(…), which only an event can be; declare the event so and publish it by relay`);
    }
    if (kindOf(declaration) !== 'relay') checkEvent(at, declaration);
    else if (!events.has(name)) throw invalid(`${at} is relay, but events declares no ${shown(name)}`);
  }
}

function checkRequest(at: string, request: unknown): void {
  const given = entriesOf(at, request, requestKeys);
  for (const part of ['input', 'output', 'yields']) {
    if (given.has(part)) checkSchema(`${at}.${part}`, given.get(part));
  }
  if (given.has('errors')) {
    for (const [name, schema] of namedEntries(`${at}.errors`, given.get('errors'))) {
      if (isCode(name)) throw invalid(`${at}.errors.${name}: that is a code of Runnel's own; choose another name`);
      checkSchema(`${at}.errors.${name}`, schema);
    }
  }
  const idempotent = given.get('idempotent') ?? false;
  if (typeof idempotent !== 'boolean') throw invalid(`${at}.idempotent is ${shown(idempotent)}; it must be a boolean`);
}

function checkPresence(presence: unknown): void {
  if (isStandardSchema(presence)) return;
  const given = entriesOf('presence', presence, presenceKeys);
  for (const part of presenceKeys) checkSchema(`presence.${part}`, given.get(part));
}

function checkHistory(history: unknown): void {
  const given = entriesOf('history', history, historyKeys);
  const { historySizeMax, historyTtlMsMax } = contractLimits;
  const size = given.get('size');
  if (!Number.isSafeInteger(size) || (size as number) < 1 || (size as number) > historySizeMax) {
    throw invalid(`history.size is ${shown(size)}; it must be an integer from 1 to ${historySizeMax}`);
  }
  const ttl = given.get('ttl');
  if (parseDurationMs(ttl as Duration) > historyTtlMsMax) {
    throw invalid(`history.ttl is ${shown(ttl)}; it may be at most ${historyTtlMsMax} ms (365 days)`);
  }
}

function checkSchema(at: string, schema: unknown): void {
  if (!isStandardSchema(schema)) {
    throw invalid(`${at} is ${shown(schema)}; it must be a Standard Schema, such as one of zod`);
  }
}

/** The entries of a table that the app names itself: each name is checked, and their number. */
function namedEntries(at: string, table: unknown): ReadonlyMap<string, unknown> {
  const entries = entriesOf(at, table);
  if (entries.size > contractLimits.declarationsMax) {
    throw invalid(`${at} has ${entries.size} entries; it may have ${contractLimits.declarationsMax}`);
  }
  for (const name of entries.keys()) checkName(at, name);
  return entries;
}

function checkName(at: string, name: string): void {
  const { nameLengthMax } = contractLimits;
  if (name.length === 0 || name.length > nameLengthMax) {
    throw invalid(`${at} has a name of ${name.length} characters; a name has 1 to ${nameLengthMax}`);
  }
  if (name.startsWith('$')) throw invalid(`${at}.${name}: names that begin with $ are reserved`);
}

/** The own entries of an object, as a Map so that no name is special; with `known`, others are refused. */
function entriesOf(at: string, value: unknown, known?: ReadonlySet<string>): ReadonlyMap<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`${at} is ${shown(value)}; it must be an object`);
  }
  const entries = new Map<string, unknown>(Object.entries(value));
  for (const name of entries.keys()) {
    if (known !== undefined && !known.has(name)) {
      throw invalid(`${at} has no option ${shown(name)}; it has ${[...known].join(', ')}`);
    }
  }
  return entries;
}

function kindOf(declaration: unknown): unknown {
  const isMarker = typeof declaration === 'object' && declaration !== null && !isStandardSchema(declaration);
  return isMarker ? (declaration as { kind?: unknown }).kind : undefined;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, contractLimits.nameLengthMax));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

function invalid(message: string): RunnelError {
  return new RunnelError('contract_invalid', message);
}
