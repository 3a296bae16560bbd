// What the client costs a page: each file that one may be given, with what it is made of.

import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';
import { bundleClient } from './bundle.mjs';
import { bundleLegacy } from './legacy-bundle.mjs';

/**
 * @typedef {object} Measured
 * @property {string} name
 * @property {number} kb gzipped, in kB of 1,000 bytes
 * @property {Record<string, number>} parts bytes of each source in it, minified
 */

/** @returns {Promise<Measured[]>} */
export async function measureClient() {
  // One after the other: the second is to have the names that the first was given.
  const client = await bundleClient();
  const share = await bundleClient('src/share/index.ts', 'runnel-share.min.js');
  const legacy = await bundleLegacy();
  const again = await transform(client.code, { minify: true, format: 'esm', target: 'es2022' });
  return [
    measured('runnel.min.js', client.code, client.parts),
    measured('runnel.min.js in the bundle of an app', again.code, client.parts),
    measured('runnel-share.min.js', share.code, share.parts),
    await measureHooks(),
    measured('es5/runnel.js', legacy.code, legacy.parts),
  ];
}

/** The React hooks, without the client and React. */
async function measureHooks() {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL('../src/react/index.ts', import.meta.url))],
    external: ['react', '@runnel/client', '@runnel/protocol'],
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    outfile: 'react.js',
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    metafile: true,
    write: false,
  });
  const inputs = Object.entries(metafile.outputs['react.js']?.inputs ?? {});
  const parts = inputs.map(([input, { bytesInOutput }]) => /** @type {[string, number]} */ ([input, bytesInOutput]));
  return measured('react', outputFiles[0]?.contents ?? '', parts);
}

/**
 * @param {string} name
 * @param {string | Uint8Array} file
 * @param {[input: string, bytes: number][]} parts
 * @returns {Measured}
 */
function measured(name, file, parts) {
  const kb = gzipSync(file, { level: constants.Z_BEST_COMPRESSION }).byteLength / 1_000;
  return { name, kb, parts: Object.fromEntries(parts.map(([input, bytes]) => [shortName(input), bytes])) };
}

/** @param {string} input by its path relative to the package */
function shortName(input) {
  return input.replace(/^\.\.\/protocol\/src\//, 'protocol/').replace(/^src\//, 'client/');
}
