// Usage: size.mjs [--record]
// Prints what the client costs a page; fails, and names what has grown, where that is over budget, or where something is in it that has no place in a browser.
// `--record` makes what it costs now the budget.

import { readFile, writeFile } from 'node:fs/promises';
import { measureClient } from './measure.mjs';

const budgetsFile = new URL('../size-budgets.json', import.meta.url);
const STEP_KB = 0.05;
/** Releases of zlib differ by some bytes. */
const LEEWAY_KB = 0.02;
const GROWN_SHOWN_MAX = 10;

/** Of the client and of the protocol: no validator, no dependency, and nothing that only a server or a test needs. */
const allowed =
  /^(?:client\/|legacy[:-]|protocol\/(?!session\/server\/|testing\/|code-meanings|wire\/(?:read-up|frame-table)|contract\/(?:validate|compiled)))/;

/** @typedef {{ kb: number, parts: Record<string, number> }} Budget */

const measured = await measureClient();
if (process.argv.includes('--record')) await record();

/** @type {Record<string, Budget>} */
const budgets = JSON.parse(await readFile(budgetsFile, 'utf8'));
for (const { name, kb, parts } of measured) {
  const budget = budgets[name];
  if (budget === undefined) throw new Error(`${name} has no budget: record one with \`npm run size -- --record\`.`);
  console.log(`${name}: ${kb.toFixed(2)} kB gzipped of ${budget.kb} kB. Minified: ${sharesOf(parts)}`);
  const strangers = Object.keys(parts).filter((part) => !allowed.test(part));
  if (strangers.length > 0) fail(`${name} must hold only what a browser needs, but it holds ${strangers.join(', ')}.`);
  if (kb > budget.kb)
    fail(`${name} is ${(kb - budget.kb).toFixed(2)} kB over its budget.${grown(budget.parts, parts)}`);
}

/** @param {string} message */
function fail(message) {
  console.error(message);
  process.exitCode = 1;
}

/** @param {Record<string, number>} parts */
function sharesOf(parts) {
  /** @type {Record<string, number>} */
  const shares = {};
  for (const [part, bytes] of Object.entries(parts)) {
    const share = /^(?:protocol\/\w+(?=\/)|\w+)/.exec(part)?.[0] ?? part;
    shares[share] = (shares[share] ?? 0) + bytes;
  }
  return Object.entries(shares)
    .map(([share, bytes]) => `${share} ${(bytes / 1_000).toFixed(1)}`)
    .join(', ');
}

/**
 * What is larger than when the budget was set, the most first, in bytes before compression.
 *
 * @param {Record<string, number>} before
 * @param {Record<string, number>} now
 */
function grown(before, now) {
  const growth = Object.entries(now)
    .map(([part, bytes]) => /** @type {const} */ ([part, bytes - (before[part] ?? 0)]))
    .filter(([, bytes]) => bytes > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, GROWN_SHOWN_MAX);
  const lines = growth.map(([part, bytes]) => `\n  ${part} +${bytes} B`);
  return lines.length === 0 ? '' : ` Since that was set:${lines.join('')}`;
}

async function record() {
  const entries = measured.map(({ name, kb, parts }) => {
    const rounded = Number((Math.ceil((kb + LEEWAY_KB) / STEP_KB) * STEP_KB).toFixed(2));
    return [name, { kb: rounded, parts }];
  });
  await writeFile(budgetsFile, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
}
