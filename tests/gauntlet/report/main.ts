/**
 * npm run gauntlet [-- --runs 3] [--contenders runnel,ws] [--situations nginx,varnish] [--at-a-time 6]: sends Runnel and others through everything that
 * networks are known to do, prints what became of it, and writes that to docs/NETWORKS.md unless something was left out. Fails if Runnel loses, repeats,
 * reorders or alters a message.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runnel } from '../contenders/runnel.ts';
import { GROUPS } from '../situations/all.ts';
import { circumstancesOf } from './circumstances.ts';
import { planOf } from './plan.ts';
import { runAll } from './runner.ts';
import { tablesOf } from './table.ts';
import { isWhole, verdictOf } from './verdict.ts';

const DOCUMENT = join(import.meta.dirname, '..', '..', '..', 'docs', 'NETWORKS.md');
const BEGIN = '<!-- npm run gauntlet writes from here -->';
const END = '<!-- to here -->';

// sockjs-client has no way to be told of the certificate that is made for the occasion.
process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
const startedAt = performance.now();
const progress = (text: string): void =>
  console.error(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4)} s  ${text}`);

const args = process.argv.slice(2);
const plan = planOf(args);
const circumstances = await circumstancesOf(plan, args);
const outcomes = await runAll(plan, progress);
const report = `${circumstances}\n\n${tablesOf(plan, GROUPS, outcomes)}`;
console.log(`\n${report}`);
if (plan.whole) {
  const text = await readFile(DOCUMENT, 'utf8');
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} has no place for the tables.`);
  await writeFile(DOCUMENT, `${text.slice(0, from + BEGIN.length)}\n\n${report}\n${text.slice(to)}`);
  console.log(`Written to docs/NETWORKS.md.`);
}
const verdicts = plan.contenders.includes(runnel)
  ? plan.situations.map((one) => verdictOf(outcomes.of(runnel, one)))
  : [];
// Sockets of others may still wait for an answer.
process.exit(verdicts.every((verdict) => verdict === null || isWhole(verdict)) ? 0 : 1);
