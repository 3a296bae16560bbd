import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type StandardResult,
  type StandardSchema,
  validate,
  validateOrThrow,
  validationError,
} from '../../src/contract/index.ts';
import { RunnelError } from '../../src/errors.ts';

function schemaThat<Output>(
  conclude: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>,
): StandardSchema<unknown, Output> {
  return { '~standard': { version: 1, vendor: 'test', validate: conclude } };
}

const Slow = schemaThat((value) =>
  Promise.resolve(value === 1 ? { value: 'one' } : { issues: [{ message: 'not 1' }] }),
);

describe('validate', () => {
  it('gives the output of a synchronous schema at once', () => {
    const schema = z.object({ at: z.coerce.date(), tone: z.string().default('calm') });
    expect(validate(schema, { at: '2020-01-01' })).toEqual({
      ok: true,
      value: { at: new Date('2020-01-01'), tone: 'calm' },
    });
  });

  it('waits for an asynchronous schema', async () => {
    expect(validate(Slow, 1)).toBeInstanceOf(Promise);
    expect(await validate(Slow, 1)).toEqual({ ok: true, value: 'one' });
    expect(await validate(Slow, 2)).toEqual({ ok: false, issues: [{ path: [], message: 'not 1' }] });
  });

  it('says where each issue is', () => {
    const outcome = validate(z.object({ list: z.array(z.object({ id: z.string() })) }), {
      list: [{ id: 'a' }, { id: 7 }],
    });
    expect(outcome).toMatchObject({ ok: false, issues: [{ path: ['list', 1, 'id'] }] });
  });

  it('reads paths made of segments, symbols and numbers', () => {
    const path = [{ key: 'a' }, Symbol('b'), 3, '__proto__'];
    const outcome = validate(
      schemaThat(() => ({ issues: [{ message: 'no', path }] })),
      0,
    );
    expect(outcome).toEqual({ ok: false, issues: [{ path: ['a', 'Symbol(b)', 3, '__proto__'], message: 'no' }] });
  });

  it('bounds the number, depth and length of issues', () => {
    const issue = { message: 'm'.repeat(100_000), path: Array.from({ length: 1_000 }, () => 'p'.repeat(1_000)) };
    const outcome = validate(
      schemaThat(() => ({ issues: Array.from({ length: 5_000 }, () => issue) })),
      0,
    );
    if (outcome instanceof Promise || outcome.ok) throw new Error('it should have been refused at once');
    expect(outcome.issues).toHaveLength(16);
    expect(outcome.issues[0]?.path).toHaveLength(16);
    expect(outcome.issues[0]?.path[0]).toBe(`${'p'.repeat(63)}…`);
    expect(outcome.issues[0]?.message).toBe(`${'m'.repeat(255)}…`);
    expect(JSON.stringify(outcome.issues).length).toBeLessThan(24_000);
  });

  it('copies lists that are more than arrays', () => {
    class Issues extends Array<{ message: string }> {
      constructor(messages: readonly string[]) {
        super();
        for (const message of messages) this.push({ message });
      }
    }
    const outcome = validate(
      schemaThat(() => ({ issues: new Issues(['a', 'b']) })),
      0,
    );
    expect(outcome).toMatchObject({ ok: false, issues: [{ message: 'a' }, { message: 'b' }] });
  });

  it('cuts no character in half', () => {
    const message = `${'m'.repeat(254)}😀😀`;
    const outcome = validate(
      schemaThat(() => ({ issues: [{ message }] })),
      0,
    );
    expect(outcome).toEqual({ ok: false, issues: [{ path: [], message: `${'m'.repeat(254)}…` }] });
  });

  it('passes on what a faulty schema throws or rejects with', async () => {
    const fault = new TypeError('the schema is broken');
    const throwing = schemaThat(() => {
      throw fault;
    });
    expect(() => validate(throwing, 0)).toThrow(fault);
    await expect(
      validate(
        schemaThat(() => Promise.reject(fault)),
        0,
      ),
    ).rejects.toBe(fault);
  });
});

describe('validateOrThrow', () => {
  it('gives the output', async () => {
    expect(validateOrThrow(z.string().length(2), 'ab', 'the code')).toBe('ab');
    expect(await validateOrThrow(Slow, 1, 'the number')).toBe('one');
  });

  it('fails with the subject in its message and the issues as its data', async () => {
    const refused = expect.objectContaining({
      code: 'validation_failed',
      message: 'the number is invalid: not 1',
      data: { issues: [{ path: [], message: 'not 1' }] },
    });
    await expect(validateOrThrow(Slow, 2, 'the number')).rejects.toEqual(refused);
    expect(() => validateOrThrow(z.object({ a: z.array(z.string()) }), { a: [1] }, 'it')).toThrow(
      /^it is invalid at a\.0: /,
    );
  });
});

it('makes an error even of no issues', () => {
  const error = validationError('the value', []);
  expect(RunnelError.is(error)).toBe(true);
  expect(error.message).toBe('the value is invalid: the schema gave no reason');
});
