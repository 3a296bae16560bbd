/** Builds the file for old browsers from the sources as they are, once for all tests of this folder. */
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** What `dist/es5/runnel.js` holds when it is built. */
    legacyCode: string;
  }
}

interface LegacyBundle {
  bundleLegacy(): Promise<{ readonly code: string }>;
}

const script = new URL('../../packages/client/scripts/legacy-bundle.mjs', import.meta.url).href;

export async function setup(project: TestProject): Promise<void> {
  const { bundleLegacy } = (await import(script)) as LegacyBundle;
  project.provide('legacyCode', (await bundleLegacy()).code);
}
