// What is told to libraries beyond the standard, under its key `libraryOptions`, so that what they give is the wire form: a
// `Date` that is sent is a string, and what cannot be sent is an error, where some would say `{}`, which takes anything.

/** Which side of a schema is asked for: what it takes, or what it gives. */
export type SchemaSide = 'input' | 'output';

/** Options for the converter of one library; undefined for one that needs none. */
export function libraryOptions(vendor: string, side: SchemaSide): Record<string, unknown> | undefined {
  if (vendor === 'zod') return { unrepresentable: 'any', override: (at: ZodSchemaAt) => correctZod(at, side) };
  if (vendor === 'arktype')
    return { fallback: side === 'output' ? { ...refused, date: () => ({ ...dateForm }) } : refused };
  return undefined;
}

const dateForm = { type: 'string', format: 'date-time' };

/** What zod calls `override` with, for each schema within a schema. */
interface ZodSchemaAt {
  readonly zodSchema: { readonly _zod: { readonly def: { readonly type: string; readonly coerce?: boolean } } };
  readonly jsonSchema: Record<string, unknown>;
  readonly path: readonly (string | number)[];
}

/** The types of zod for which it has no JSON Schema. */
const zodUnsendable: ReadonlySet<string> = new Set([
  'bigint',
  'custom',
  'date',
  'function',
  'map',
  'nan',
  'set',
  'symbol',
  'transform',
  'undefined',
  'void',
]);

function correctZod({ zodSchema, jsonSchema, path }: ZodSchemaAt, side: SchemaSide): void {
  const { type, coerce = false } = zodSchema._zod.def;
  if (!zodUnsendable.has(type)) return;
  // A Date is sent as a string, which only a coercing schema takes back.
  if (type === 'date' && (side === 'output' || coerce)) Object.assign(jsonSchema, dateForm);
  // As a whole payload, nothing is null.
  else if ((type === 'undefined' || type === 'void') && path.length === 0) jsonSchema['type'] = 'null';
  else throw new TypeError(`${zodRefusal(type)}${path.length === 0 ? '' : ` (at ${path.join('.')})`}`);
}

function zodRefusal(type: string): string {
  return type === 'transform' ? 'what a transform gives is unknown, unless .pipe(schema) follows' : `${type} has none`;
}

/** What arktype calls its fallbacks with, as far as they are used here. */
interface ArktypeFallback {
  readonly domain?: string;
  readonly proto?: { readonly name: string };
  readonly unit?: unknown;
}

const refuse = ({ domain, proto, unit }: ArktypeFallback): never => {
  throw new TypeError(`${proto?.name ?? domain ?? String(unit)} has none`);
};

const refused = {
  date: () => refuse({ domain: 'Date' }),
  domain: refuse,
  proto: refuse,
  symbolKey: () => refuse({ domain: 'a symbol as key' }),
  unit: refuse,
};
