/** The app as a browser loads it, for one version of React. */
import { build } from 'esbuild';

export type ReactVersion = 18 | 19;

/** What the tests of a version are loaded with in place of React 19. */
const ALIASES: Readonly<Record<ReactVersion, Record<string, string>>> = {
  18: { react: 'react-18', 'react-dom': 'react-dom-18' },
  19: {},
};

/** @param entry a file of the folder `app` */
export async function bundle(entry: string, version: ReactVersion): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: import.meta.dirname,
    entryPoints: [`app/${entry}`],
    alias: ALIASES[version],
    conditions: ['@runnel/source'],
    // Development: only there does StrictMode mount everything twice.
    define: { 'process.env.NODE_ENV': '"development"' },
    bundle: true,
    jsx: 'automatic',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}
