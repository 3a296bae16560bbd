// Validators for the tests: whether a value fits a JSON Schema, and whether a document is AsyncAPI by its official schema.
import asyncApi from '@asyncapi/specs';
import { toJsonSchema as valibotToJsonSchema } from '@valibot/to-json-schema';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type * as v from 'valibot';
import type { ConversionContext, JsonSchema } from '../../src/schema/index.ts';

// What is no keyword, such as the rest of a document, is not complained of.
const draft07 = new Ajv({ strict: false });
const draft2020 = new Ajv2020({ strict: false });
formats.default(draft07);
formats.default(draft2020);

/** Whether the value fits: true, or what ajv complains of. References are looked up in `root`, where one is given. */
export function fits(schema: JsonSchema, value: unknown, root: object = {}): true | string {
  const ajv = String(schema['$schema']).includes('2020-12') ? draft2020 : draft07;
  return ajv.validate({ ...root, ...schema }, value) || ajv.errorsText();
}

const isAsyncApi = draft07.compile(asyncApi.schemasWithoutId['3.0.0'] as object);

/** Whether the document is AsyncAPI 3.0: true, or what its schema complains of. */
export function fitsAsyncApi(document: object): true | string {
  return isAsyncApi(document) || draft07.errorsText(isAsyncApi.errors);
}

/** `convert` for valibot, as an app would write it, with the form of a Date that is sent. */
export function convertValibot(schema: v.GenericSchema, { io, target }: ConversionContext): object {
  return valibotToJsonSchema(schema, {
    typeMode: io,
    target,
    overrideSchema: ({ valibotSchema, jsonSchema }) =>
      valibotSchema.type === 'date' && io === 'output' ? { type: 'string', format: 'date-time' } : jsonSchema,
  });
}
