import { expect, onTestFinished, test, vi } from 'vitest';

/** The global `Symbol` of a runtime that knows nothing of disposal. */
function olderSymbol(): unknown {
  const current = globalThis.Symbol;
  const missing = { value: undefined };
  const older = (description?: string) => current(description);
  return Object.defineProperties(Object.setPrototypeOf(older, current), { dispose: missing, asyncDispose: missing });
}

test('where the runtime has no symbols for disposal, those that compilers agree on stand in', async () => {
  vi.stubGlobal('Symbol', olderSymbol());
  onTestFinished(() => {
    vi.unstubAllGlobals();
  });
  const { Closable } = await import('../src/disposal.ts');
  let closed = 0;
  class Door extends Closable {
    close(): void {
      closed += 1;
    }
  }
  const door = new Door() as unknown as Record<symbol, () => unknown>;
  door[Symbol.for('Symbol.dispose')]?.();
  await door[Symbol.for('Symbol.asyncDispose')]?.();
  expect(closed).toBe(2);
});
