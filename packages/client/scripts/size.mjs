// Prints the size of the browser bundle; fails when it is over budget or holds what has no place in a browser.

import { constants, gzipSync } from 'node:zlib';
import { bundleClient } from './bundle.mjs';

/** What the whole client may cost a page, in kB (1,000 bytes), gzipped. */
const budgetKb = 21;

/** The source of the client and of the protocol: no validator, no dependency, and nothing that only a server or a test needs. */
const allowedInput =
  /^(?:src|\.\.\/protocol\/src\/(?!session\/server\/|testing\/|code-meanings|wire\/(?:read-up|frame-table)|contract\/(?:validate|compiled)))\/?/;

const { code, inputs } = await bundleClient();
const sizeKb = gzipSync(code, { level: constants.Z_BEST_COMPRESSION }).byteLength / 1_000;
console.log(
  `runnel.min.js: ${sizeKb.toFixed(2)} kB gzipped of ${budgetKb} kB (${(code.byteLength / 1_000).toFixed(2)} kB minified, ${inputs.length} files)`,
);

const strangers = inputs.filter((input) => !allowedInput.test(input));
if (strangers.length > 0) {
  console.error(`The bundle must hold only the client and the protocol, but it holds:\n  ${strangers.join('\n  ')}`);
  process.exitCode = 1;
}
if (sizeKb > budgetKb) {
  console.error(`The bundle is ${(sizeKb - budgetKb).toFixed(2)} kB over its budget of ${budgetKb} kB.`);
  process.exitCode = 1;
}
