// Writes dist/es5/runnel.js: the client and the protocol in one file of ECMAScript 5, for a <script> or require().

import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { minify } from 'terser';
import { namesToKeep } from './kept-names.mjs';
import { lowerSyntax, rewriteSource } from './legacy-lowering.mjs';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));
const legacy = join(packageRoot, 'src/legacy');

/** What compiled code calls, by the names that the compiler gives it. */
const helpers = {
  __assign: 'assign',
  __extends: 'extend',
  __rest: 'rest',
  __spreadArray: 'spread',
  __values: 'walk',
};

/** Globals that may be missing, and what stands in their place. */
const globals = `
export { Thenable as Promise } from './thenable.ts';
export { LegacyMap as Map, LegacySet as Set } from './collections.ts';
export { PageUrl as URL } from './endpoint.ts';
export { LegacyError } from './legacy-error.ts';
export { queueMicrotask } from './microtasks.ts';
export { page as globalThis, Bytes as Uint8Array } from './page.ts';
export {
  objectAssign as 'Object.assign', objectEntries as 'Object.entries', objectFromEntries as 'Object.fromEntries',
  isInteger as 'Number.isInteger', isSafeInteger as 'Number.isSafeInteger', symbolFor as 'Symbol.for',
  at as at_of, endsWith as endsWith_of, entries as entries_of, find as find_of, findIndex as findIndex_of, flatMap as flatMap_of,
  includes as includes_of, repeat as repeat_of,
} from './methods.ts';
`;

const entry = `
export { createClient, RunnelError } from './index.ts';
export { ${Object.values(helpers)} } from './lowered.ts';
`;

/**
 * Builds the file, in memory.
 *
 * @returns {Promise<{ code: string, parts: [input: string, bytes: number][] }>} the file, and how many bytes it holds of each source, before ES5
 */
export async function bundleLegacy() {
  const result = await build({
    absWorkingDir: packageRoot,
    stdin: { contents: entry, resolveDir: legacy, sourcefile: 'src/legacy/entry.ts', loader: 'ts' },
    inject: ['legacy-globals'],
    conditions: ['@runnel/source'],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2019',
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
    treeShaking: true,
    metafile: true,
    write: false,
    plugins: [sources],
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error('esbuild wrote no bundle.');
  const lowered = lowerSyntax(output.text);
  const inputs = Object.entries(Object.values(result.metafile.outputs)[0]?.inputs ?? {});
  const { code = '' } = await minify(wrap(lowered), {
    ecma: 5,
    // A page may be in any encoding.
    format: { ascii_only: true },
    compress: { passes: 3, pure_getters: true, keep_fargs: false, global_defs: { '@Number.POSITIVE_INFINITY': '1/0' } },
    mangle: { properties: { builtins: true, keep_quoted: true, reserved: [...namesToKeep(true)] } },
  });
  const parts = inputs.map(([input, { bytesInOutput }]) => /** @type {[string, number]} */ ([input, bytesInOutput]));
  return { code, parts: parts.filter(([, bytes]) => bytes > 0) };
}

/** @type {import('esbuild').Plugin} */
const sources = {
  name: 'legacy',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^legacy-globals$/ }, () => ({ path: 'globals', namespace: 'legacy' }));
    onResolve({ filter: /^#base64$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, 'base64.ts'),
      sideEffects: false,
    }));
    onLoad({ filter: /./, namespace: 'legacy' }, () => ({ contents: globals, resolveDir: legacy, loader: 'ts' }));
    // A file of the client gives way to the one of the same name here.
    onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
      const target = join(resolveDir, path);
      const instead = join(legacy, basename(target));
      return {
        path:
          dirname(target) === dirname(legacy) && existsSync(instead) && basename(target) !== 'index.ts'
            ? instead
            : target,
        sideEffects: false,
      };
    });
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: rewriteSource(path, await readFile(path, 'utf8')),
      loader: 'ts',
    }));
  },
};

/**
 * The module as a file that a page or `require` takes. What stands for syntax has to be there from the beginning: functions are.
 *
 * @param {string} lowered a module
 */
function wrap(lowered) {
  const aliases = Object.entries(helpers).map(([name, ours]) => `${name} = ${ours}`);
  const body = lowered.replace(/^export \{[^}]*\};?$/m, '');
  return `(function (page) {
'use strict';
var ${aliases.join(', ')};
${body}
// The names stand there as such, because that is where Node looks for what an ES module may import.
if (typeof exports === 'object') {
  exports.createClient = createClient;
  exports.RunnelError = RunnelError;
} else page.Runnel = { createClient: createClient, RunnelError: RunnelError };
})(this);`;
}

/** The types of the entry, for a file that is CommonJS, or a script with one global. */
const declarations = `import type * as legacy from '../legacy/index.js' with { 'resolution-mode': 'import' };
export type * from '../legacy/index.js' with { 'resolution-mode': 'import' };
export declare const createClient: typeof legacy.createClient;
export declare const RunnelError: typeof legacy.RunnelError;
export type RunnelError<C extends string = string> = legacy.RunnelError<C>;
export as namespace Runnel;
`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { code } = await bundleLegacy();
  const dist = new URL('../dist/es5/', import.meta.url);
  await mkdir(dist, { recursive: true });
  await writeFile(new URL('runnel.js', dist), code);
  await writeFile(new URL('runnel.d.ts', dist), declarations);
  // The package is one of ES modules; this folder is not.
  await writeFile(new URL('package.json', dist), '{ "type": "commonjs" }\n');
}
