import { inspect } from 'node:util';

/** How long anything may take that a browser is waited for, ms: far more than it takes, and less than the time of a test. */
const PATIENCE_MS = 20_000;
/** Between two looks: each costs the browser a little. */
const LOOK_EVERY_MS = 15;

/** Resolves to what `read` gives as soon as that is as it should be; rejects with what it gave last if that takes too long. */
export async function eventually<T>(
  what: string,
  read: () => T | Promise<T>,
  isRight: (value: T) => boolean,
): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const value = await read();
    if (isRight(value)) return value;
    if (performance.now() > until) {
      throw new Error(`In vain waited for ${what}. Last seen: ${inspect(value, { depth: 5, breakLength: 200 })}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
