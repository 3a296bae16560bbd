import { describe, expect, it } from 'vitest';
import { relocate } from '../../src/schema/relocation.ts';

const to = '#/components/schemas/a';
const inner = { $ref: '#/definitions/b' };
const moved = { $ref: '#/components/schemas/a/definitions/b' };

describe('relocate', () => {
  it('moves references to the schema itself, wherever a schema may stand', () => {
    const schema = {
      $ref: '#',
      properties: { p: inner },
      items: [inner, { not: inner }],
      anyOf: [inner],
      additionalProperties: inner,
      definitions: { b: { type: 'string' } },
    };
    expect(relocate(schema, to)).toEqual({
      $ref: to,
      properties: { p: moved },
      items: [moved, { not: moved }],
      anyOf: [moved],
      additionalProperties: moved,
      definitions: { b: { type: 'string' } },
    });
  });

  it('leaves references to elsewhere alone', () => {
    const schema = { anyOf: [{ $ref: 'https://example.com/a.json#/b' }, { $ref: 'b.json' }] };
    expect(relocate(schema, to)).toEqual(schema);
  });

  it('leaves data alone, whatever it looks like', () => {
    const schema = { const: inner, default: [inner], enum: [inner, null], examples: [inner] };
    expect(relocate(schema, to)).toEqual(schema);
  });

  it.each(['properties', 'patternProperties', 'definitions', '$defs', 'dependencies', 'dependentSchemas'])(
    'takes no name in %s for a keyword',
    (table) => {
      const names = { $ref: inner, const: inner, default: inner, properties: { items: inner } };
      expect(relocate({ [table]: names }, to)).toEqual({
        [table]: { $ref: moved, const: moved, default: moved, properties: { items: moved } },
      });
    },
  );

  it('takes away what only a document has, and does not change what it is given', () => {
    const schema = { $schema: 'http://json-schema.org/draft-07/schema#', $id: 'https://example.com', items: inner };
    const copy = structuredClone(schema);
    expect(relocate(schema, to)).toEqual({ items: moved });
    expect(schema).toEqual(copy);
  });
});
