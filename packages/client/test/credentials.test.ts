import { describe, expect, test } from 'vitest';
import { findCredentials } from '../src/credentials.ts';

/** One timer that goes off when the test says so. */
function timer() {
  const set: { ms: number; run: () => void; off: boolean }[] = [];
  const after = (ms: number, run: () => void) => {
    const entry = { ms, run, off: false };
    set.push(entry);
    return () => {
      entry.off = true;
    };
  };
  return { set, after };
}

describe('findCredentials', () => {
  test('takes values, functions and promises, and leaves no timer behind', async () => {
    const { set, after } = timer();
    expect(await findCredentials('a', false, after)).toBe('a');
    expect(await findCredentials(() => ({ b: 1 }), false, after)).toEqual({ b: 1 });
    expect(await findCredentials(({ refresh }: { refresh: boolean }) => Promise.resolve(refresh), true, after)).toBe(
      true,
    );
    expect(set.map(({ off }) => off)).toEqual([true, true, true]);
  });

  test('waits half a minute', async () => {
    const { set, after } = timer();
    const found = findCredentials(() => new Promise(() => {}), false, after);
    expect(set.map(({ ms }) => ms)).toEqual([30_000]);
    set[0]?.run();
    await expect(found).rejects.toThrow('30000 ms');
  });

  test('refuses what an attach cannot carry', async () => {
    const { after } = timer();
    await expect(findCredentials(() => 1n, false, after)).rejects.toMatchObject({ code: 'validation_failed' });
    await expect(findCredentials('é'.repeat(8_192), false, after)).rejects.toThrow('16386 bytes');
    expect(await findCredentials('é'.repeat(8_191), false, after)).toHaveLength(8_191);
  });
});
