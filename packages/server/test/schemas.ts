import type { StandardSchema } from '@runnel/protocol';

/** A Standard Schema of a function that gives the output or throws what is wrong. */
export function schema<Output, Input = Output>(check: (value: unknown) => Output): StandardSchema<Input, Output> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        try {
          return { value: check(value) };
        } catch (error) {
          return { issues: [{ message: (error as Error).message, path: [] }] };
        }
      },
    },
  };
}

/** The same, but its answer comes later. */
export function lateSchema<T>(inner: StandardSchema<T>): StandardSchema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => inner['~standard'].validate(value),
    },
  };
}

export const text: StandardSchema<string> = schema((value) => {
  if (typeof value !== 'string') throw new Error('expected a string');
  return value;
});

export const count: StandardSchema<number> = schema((value) => {
  if (typeof value !== 'number') throw new Error('expected a number');
  return value;
});

/** An object with one text. */
export function withText<K extends string>(key: K): StandardSchema<{ readonly [N in K]: string }> {
  return schema((value) => {
    const given = (value as { readonly [name: string]: unknown } | null)?.[key];
    if (typeof given !== 'string') throw new Error(`expected ${key} to be a string`);
    return { [key]: given } as { readonly [N in K]: string };
  });
}
