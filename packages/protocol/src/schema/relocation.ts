import type { JsonSchema } from './conversion.ts';

/** Keywords whose value is a table of schemas: its keys are no keywords. */
const tables: ReadonlySet<string> = new Set([
  '$defs',
  'definitions',
  'dependencies',
  'dependentSchemas',
  'patternProperties',
  'properties',
]);
/** Keywords whose value is data. */
const data: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples']);

/**
 * A copy of a JSON Schema that can stand inside a document, at the JSON pointer `to`: its references to itself (`#`,
 * `#/definitions/…`) are turned into references to there, and what it says of itself as a document is left out.
 */
export function relocate(schema: JsonSchema, to: string): JsonSchema {
  const { $schema: _, $id: __, ...rest } = schema;
  return relocateKeywords(rest, to);
}

function relocateKeywords(schema: JsonSchema, to: string): JsonSchema {
  return mapValues(schema, (value, keyword) => {
    if (keyword === '$ref')
      return typeof value === 'string' && value.startsWith('#') ? `${to}${value.slice(1)}` : value;
    if (data.has(keyword)) return value;
    if (tables.has(keyword) && isObject(value)) return mapValues(value, (entry) => relocateAny(entry, to));
    return relocateAny(value, to);
  });
}

function relocateAny(value: unknown, to: string): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => relocateAny(item, to));
  return isObject(value) ? relocateKeywords(value, to) : value;
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapValues(table: JsonSchema, map: (value: unknown, key: string) => unknown): JsonSchema {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [key, map(value, key)]));
}
