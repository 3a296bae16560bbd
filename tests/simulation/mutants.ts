/**
 * npm run sim:mutants [-- --rule N]: breaks one rule at a time in a copy of the source, and expects the simulator or a test to notice. A mutant that nobody
 * notices is a rule that nothing holds to: exit code 1. `--rule` takes only those whose rule begins so.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MUTATIONS, type Mutation } from './mutations.ts';
import { WORLDS, type WorldName } from './runner.ts';

const root = join(import.meta.dirname, '..', '..');
/** A mutant that is not done by then loops. */
const TIMEOUT_MS = 90_000;

const COPIED = [
  'package.json',
  'vitest.config.ts',
  'tsconfig.base.json',
  'tsconfig.check.json',
  'tsconfig.package.json',
  'tests/package.json',
  'tests/tsconfig.json',
  'tests/node_modules',
  'tests/simulation',
  // What vitest's configuration loads.
  'tests/minified',
  'packages/client/scripts',
  ...['protocol', 'server'].flatMap((name) =>
    ['package.json', 'tsconfig.json', 'node_modules', 'src', 'test'].map((part) => `packages/${name}/${part}`),
  ),
];

/** What became of a run: null, or who noticed that something is wrong. */
type Verdict = string | null;

async function makeCopy(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'runnel-mutants-'));
  for (const path of COPIED) {
    await mkdir(join(copy, path, '..'), { recursive: true });
    await cp(join(root, path), join(copy, path), { recursive: true, verbatimSymlinks: true });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

async function runMutation(copy: string, mutation: Mutation): Promise<Verdict> {
  const file = join(copy, mutation.file);
  const source = await readFile(file, 'utf8');
  const places = source.split(mutation.find).length - 1;
  if (places !== 1)
    throw new Error(
      `${mutation.rule}: ${JSON.stringify(mutation.find)} stands ${places} times in ${mutation.file}, not once.`,
    );
  // A function: in a string `$` would mean something.
  await writeFile(
    file,
    source.replace(mutation.find, () => mutation.replace),
  );
  try {
    return await run(copy, mutation.by);
  } finally {
    await writeFile(file, source);
  }
}

async function run(copy: string, by: Mutation['by']): Promise<Verdict> {
  if ('tests' in by) {
    const { code, output } = await start(copy, [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--project',
      'unit',
      ...by.tests,
    ]);
    const failed = /^\s*(?:×|FAIL)\s+(?:\S*\s*unit\S*\s+)?(.+)$/m.exec(output)?.[1];
    if (code === 0) return null;
    if (code === null) return 'a test that does not end';
    if (failed === undefined || !/Tests .*failed/.test(output)) throw new Error(`The tests did not run:\n${output}`);
    return failed.replace(/ \d+ms$/, '').slice(0, 90);
  }
  const seeds = ['--seeds', String(by.seeds), '--world', by.world, '--workers', '1'];
  const { code, output } = await start(copy, [
    '--conditions=@runnel/source',
    '--import=tsx',
    'tests/simulation/cli.ts',
    ...seeds,
  ]);
  if (code === 0) return null;
  if (code === null) return `a schedule of the ${by.world} world that does not end`;
  const failure = /^seed (\d+) of the \w+ world: (invariant \d+|\w*Error)/m.exec(output);
  if (failure === null) throw new Error(`The simulator did not run:\n${output}`);
  return `${failure[2]}, ${by.world} seed ${failure[1]}`;
}

/** Runs Node in the copy; `code` is null where it did not end in time. */
function start(copy: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: copy,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
      detached: true,
    });
    let output = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      // Its workers too.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, TIMEOUT_MS);
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: late ? null : (code ?? 1), output });
    });
  });
}

/** The unbroken copy must pass everything that is to notice a break. */
async function checkBaseline(copy: string, mutations: readonly Mutation[]): Promise<void> {
  const tests = [...new Set(mutations.flatMap(({ by }) => ('tests' in by ? by.tests : [])))];
  // As many schedules as any mutant gets: what fails there fails for its own reason.
  const seedsOf = (world: WorldName): number =>
    Math.max(...mutations.map(({ by }) => ('world' in by && by.world === world ? by.seeds : 0)));
  const runs: readonly Mutation['by'][] = [{ tests }, ...WORLDS.map((world) => ({ world, seeds: seedsOf(world) }))];
  for (const by of runs) {
    if ('tests' in by ? by.tests.length === 0 : by.seeds === 0) continue;
    const verdict = await run(copy, by);
    if (verdict !== null) throw new Error(`Nothing is broken yet, and there is a failure: ${verdict}`);
  }
}

async function main(): Promise<number> {
  const startedAt = performance.now();
  const { values } = parseArgs({ options: { rule: { type: 'string', default: '' } } });
  const mutations = MUTATIONS.filter(({ rule }) => rule.startsWith(values.rule));
  if (mutations.length === 0) throw new Error(`--rule is ${values.rule}; no rule begins so.`);
  const copies = await Promise.all(Array.from({ length: availableParallelism() }, makeCopy));
  const verdicts = new Map<Mutation, Verdict>();
  try {
    await checkBaseline(copies[0] as string, mutations);
    const queue = [...mutations];
    const work = async (copy: string): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const verdict = await runMutation(copy, next);
        verdicts.set(next, verdict);
        console.log(`${next.rule}  ${next.breaks}: ${verdict ?? 'SURVIVED'}`);
      }
    };
    await Promise.all(copies.map(work));
  } finally {
    await Promise.all(copies.map((copy) => rm(copy, { recursive: true, force: true })));
  }
  console.log('\n| rule | what was broken | caught by |\n|---|---|---|');
  for (const mutation of mutations)
    console.log(`| ${mutation.rule} | ${mutation.breaks} | ${verdicts.get(mutation) ?? '**nothing**'} |`);
  const survivors = mutations.filter((mutation) => verdicts.get(mutation) === null).length;
  const minutes = (performance.now() - startedAt) / 60_000;
  console.log(`\n${mutations.length - survivors} of ${mutations.length} caught in ${minutes.toFixed(1)} minutes`);
  return survivors === 0 ? 0 : 1;
}

process.exitCode = await main();
