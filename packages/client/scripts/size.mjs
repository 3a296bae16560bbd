// Prints the size of the browser bundle, and of the hooks beside it; fails when one is over budget or holds what has no place in a browser.

import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';
import { bundleClient } from './bundle.mjs';
import { bundleLegacy } from './legacy-bundle.mjs';

/** What the whole client may cost a page, in kB (1,000 bytes), gzipped. */
const budgetKb = 24.3;

/** The source of the client and of the protocol: no validator, no dependency, and nothing that only a server or a test needs. */
const allowedInput =
  /^(?:src|\.\.\/protocol\/src\/(?!session\/server\/|testing\/|code-meanings|wire\/(?:read-up|frame-table)|contract\/(?:validate|compiled)))\/?/;

/** What it may be once the bundler of an app has minified it again. */
const bundledBudgetKb = 24.65;

/** What tabs that share a session load besides. */
const shareBudgetKb = 10.45;

/** @param {string | Uint8Array} file */
const gzippedKb = (file) => gzipSync(file, { level: constants.Z_BEST_COMPRESSION }).byteLength / 1_000;

const { code, parts } = await bundleClient();
const sizeKb = gzippedKb(code);
const bundledKb = gzippedKb((await transform(code, { minify: true, format: 'esm', target: 'es2022' })).code);
console.log(
  `runnel.min.js: ${sizeKb.toFixed(2)} kB gzipped of ${budgetKb} kB (${(code.length / 1_000).toFixed(2)} kB minified, ${parts.length} files); in an app's bundle: ${bundledKb.toFixed(2)} kB of ${bundledBudgetKb} kB`,
);

/** @type {Record<string, number>} what it is made of: the client, and the folders of the protocol */
const shares = {};
for (const [input, bytes] of parts) {
  const share = /protocol\/src\/(?:(\w+)\/)?/.exec(input)?.[1] ?? (input.startsWith('src/') ? 'client' : 'protocol');
  shares[share] = (shares[share] ?? 0) + bytes;
}
for (const [share, bytes] of Object.entries(shares))
  console.log(`  ${share}: ${(bytes / 1_000).toFixed(2)} kB minified`);

const strangers = parts.map(([input]) => input).filter((input) => !allowedInput.test(input));
if (strangers.length > 0) {
  console.error(`The bundle must hold only the client and the protocol, but it holds:\n  ${strangers.join('\n  ')}`);
  process.exitCode = 1;
}
const shareKb = gzippedKb((await bundleClient('src/share/index.ts', 'runnel-share.min.js')).code);
console.log(`runnel-share.min.js: ${shareKb.toFixed(2)} kB gzipped of ${shareBudgetKb} kB`);
if (sizeKb > budgetKb || bundledKb > bundledBudgetKb || shareKb > shareBudgetKb) {
  console.error(
    `One is over its budget: ${budgetKb} kB, ${bundledBudgetKb} kB in an app's bundle, ${shareBudgetKb} kB to share.`,
  );
  process.exitCode = 1;
}

/** What the React hooks may cost a page beside the client and React, in kB, gzipped. */
const hooksBudgetKb = 3;

const { outputFiles: hooks } = await build({
  entryPoints: [fileURLToPath(new URL('../src/react/index.ts', import.meta.url))],
  external: ['react', '@runnel/client', '@runnel/protocol'],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  write: false,
});
const hooksKb = gzippedKb(hooks[0]?.contents ?? '');
console.log(`react: ${hooksKb.toFixed(2)} kB gzipped of ${hooksBudgetKb} kB`);
if (hooksKb > hooksBudgetKb) {
  console.error(`The hooks are ${(hooksKb - hooksBudgetKb).toFixed(2)} kB over their budget of ${hooksBudgetKb} kB.`);
  process.exitCode = 1;
}

/** What the file for old browsers may cost a page, with all that it brings along, in kB, gzipped. */
const legacyBudgetKb = 28.1;

const legacy = await bundleLegacy();
const legacyKb = gzippedKb(legacy.code);
const broughtKb =
  legacy.parts.reduce((sum, [input, bytes]) => sum + (/^src\/legacy\//.test(input) ? bytes : 0), 0) / 1_000;
console.log(
  `es5/runnel.js: ${legacyKb.toFixed(2)} kB gzipped of ${legacyBudgetKb} kB (${(legacy.code.length / 1_000).toFixed(2)} kB minified; ${broughtKb.toFixed(2)} kB of its source are for old browsers)`,
);
const legacyStrangers = legacy.parts
  .map(([input]) => input)
  .filter((input) => !/^legacy:/.test(input) && !allowedInput.test(input));
if (legacyStrangers.length > 0 || legacyKb > legacyBudgetKb) {
  console.error(
    `es5/runnel.js is over its budget of ${legacyBudgetKb} kB, or holds what is not the client's: ${legacyStrangers}`,
  );
  process.exitCode = 1;
}
