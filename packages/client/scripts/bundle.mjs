// Writes dist/runnel.min.js: the client and the protocol in one file that a browser loads as a module.

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/**
 * Bundles the client from source, in memory.
 *
 * @returns {Promise<{ code: Uint8Array, parts: [input: string, bytes: number][] }>} the bundle, and how much it holds of each file, minified; files by their
 *   path relative to the package, without those of which it holds nothing
 */
export async function bundleClient() {
  const result = await build({
    absWorkingDir: packageRoot,
    entryPoints: ['src/index.ts'],
    conditions: ['@runnel/source'],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outfile: 'dist/runnel.min.js',
    metafile: true,
    write: false,
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error('esbuild wrote no bundle.');
  const inputs = Object.entries(Object.values(result.metafile.outputs)[0]?.inputs ?? {});
  const parts = inputs.map(([input, { bytesInOutput }]) => /** @type {[string, number]} */ ([input, bytesInOutput]));
  return { code: output.contents, parts: parts.filter(([, bytes]) => bytes > 0) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { code } = await bundleClient();
  await mkdir(new URL('../dist/', import.meta.url), { recursive: true });
  await writeFile(new URL('../dist/runnel.min.js', import.meta.url), code);
}
