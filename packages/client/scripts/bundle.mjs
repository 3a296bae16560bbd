// Writes dist/runnel.min.js, the client and the protocol in one file that a browser loads as a module and bundlers take for production, and beside it
// dist/runnel-share.min.js, which that loads where tabs share a session.

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { minify } from 'terser';
import { namesToKeep } from './kept-names.mjs';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));

const share = 'runnel-share.min.js';

/** What is loaded only where it is used stays a file of its own. */
const shareApart = {
  name: 'share-apart',
  /** @param {import('esbuild').PluginBuild} build */
  setup: (build) => build.onResolve({ filter: /\/share\/index\.ts$/ }, () => ({ path: `./${share}`, external: true })),
};

const reserved = [...namesToKeep(false)];

/** What properties are called instead: one loads the other, and hands over objects. */
const nameCache = {};

/**
 * Bundles the client from source, in memory.
 *
 * @param {string} [entryPoint]
 * @param {string} [file] what it is to be called in dist
 * @returns {Promise<{ code: string, map: string, parts: [input: string, bytes: number][] }>} the bundle; its source map, with the sources in it; and how much
 *   it holds of each file, by its path relative to the package and before the last step, without those of which it holds nothing
 */
export async function bundleClient(entryPoint = 'src/index.ts', file = 'runnel.min.js') {
  const result = await build({
    absWorkingDir: packageRoot,
    entryPoints: [entryPoint],
    conditions: ['@runnel/source'],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outfile: `dist/${file}`,
    sourcemap: 'external',
    metafile: true,
    plugins: entryPoint === 'src/index.ts' ? [shareApart] : [],
    write: false,
  });
  const [content, output] = result.outputFiles.map(({ text }) => text);
  if (content === undefined || output === undefined) throw new Error('esbuild wrote no bundle.');
  const inputs = Object.entries(result.metafile.outputs[`dist/${file}`]?.inputs ?? {});
  const parts = inputs.map(([input, { bytesInOutput }]) => /** @type {[string, number]} */ ([input, bytesInOutput]));
  // esbuild first all the same: it shortens the names of private members, and leaves less to be seen through.
  const { code = '', map } = await minify(output, {
    module: true,
    ecma: 2020,
    compress: { passes: 3, pure_getters: true, global_defs: { '@Number.POSITIVE_INFINITY': '1/0' } },
    mangle: { properties: { builtins: true, keep_quoted: true, reserved } },
    nameCache,
    sourceMap: { content, filename: file, url: `${file}.map` },
  });
  return { code, map: String(map), parts: parts.filter(([, bytes]) => bytes > 0) };
}

/** @param {URL} folder */
export async function writeBundles(folder) {
  await mkdir(folder, { recursive: true });
  for (const [entryPoint, file] of [
    ['src/index.ts', 'runnel.min.js'],
    ['src/share/index.ts', share],
  ]) {
    const { code, map } = await bundleClient(entryPoint, file);
    await writeFile(new URL(`${file}`, folder), code);
    await writeFile(new URL(`${file}.map`, folder), map);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeBundles(new URL('../dist/', import.meta.url));
