// Writes dist/runnel.min.js: the client and the protocol in one file that a browser loads as a module.

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/**
 * Bundles the client from source, in memory.
 *
 * @returns {Promise<{ code: Uint8Array, inputs: string[] }>} the bundle, and the files that it holds something of, relative to the package
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
  const parts = Object.values(result.metafile.outputs)[0]?.inputs ?? {};
  const inputs = Object.entries(parts).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : []));
  return { code: output.contents, inputs };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { code } = await bundleClient();
  await mkdir(new URL('../dist/', import.meta.url), { recursive: true });
  await writeFile(new URL('../dist/runnel.min.js', import.meta.url), code);
}
