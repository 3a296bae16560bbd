/** How long anything may take that a test waits for, ms: far more than it takes, and less than the time of a test. */
export const PATIENCE_MS = 4_000;

/** Turns of the event loop are looked at one by one for a while, so that what is about to happen is not waited for. */
const TURNS = 50;

/** Resolves when `holds` is true. It is asked again after each turn of the event loop, and every few ms where that takes long. */
export async function condition(what: string | (() => string), holds: () => boolean | Promise<boolean>): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (let turn = 0; !(await holds()); turn += 1) {
    if (performance.now() > until) throw new Error(`In vain waited until ${typeof what === 'string' ? what : what()}.`);
    await new Promise<void>((resolve) => {
      if (turn < TURNS) setImmediate(resolve);
      else setTimeout(resolve, 4);
    });
  }
}
