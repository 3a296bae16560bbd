import { run } from './command.mjs';
import { clearReport, readReport, reportFile } from './report.mjs';

/**
 * One step: a function that throws when it fails, a script of package.json, or a vitest project.
 * `required`: what comes after makes no sense without it, so a failure stops the run.
 *
 * @typedef {{ name: string, required?: boolean } & (
 *   { action: () => Promise<void> } | { script: string } | { project: string, env?: Record<string, string> }
 * )} Step
 * @typedef {{ outcome: 'ok' | 'failed' | 'not run', passed: number, failed: number, detail: string, minutes: number }} Result
 */

/**
 * Runs steps one after another and prints a summary that ends with the numbers of passed and failed tests.
 *
 * @param {readonly Step[]} steps
 * @returns {Promise<boolean>} whether every step succeeded
 */
export async function runSteps(steps) {
  /** @type {[string, Result][]} */
  const results = [];
  let stopped = false;
  for (const step of steps) {
    if (stopped) {
      results.push([step.name, { outcome: 'not run', passed: 0, failed: 0, detail: '', minutes: 0 }]);
      continue;
    }
    console.log(`\n── ${step.name}`);
    const startedAt = performance.now();
    const ended = await runStep(step);
    const result = { ...ended, minutes: (performance.now() - startedAt) / 60_000 };
    console.log(`── ${describe(step.name, result)}`);
    results.push([step.name, result]);
    stopped = result.outcome === 'failed' && step.required === true;
  }

  console.log('\nSummary');
  for (const [name, result] of results) console.log(`  ${describe(name, result)}`);
  const total = (/** @type {'passed' | 'failed'} */ key) => results.reduce((sum, [, result]) => sum + result[key], 0);
  console.log(`\n${total('passed')} passed, ${total('failed')} failed`);
  return results.every(([, result]) => result.outcome === 'ok');
}

/**
 * @param {Step} step
 * @returns {Promise<Omit<Result, 'minutes'>>}
 */
async function runStep(step) {
  try {
    if ('project' in step) return await runProject(step.project, step.env);
    if ('script' in step) {
      const code = await run('npm', ['run', '--silent', step.script]);
      if (code !== 0) return failure(`npm run ${step.script} ended with ${code}`);
    } else {
      await step.action();
    }
    return { outcome: 'ok', passed: 0, failed: 0, detail: '' };
  } catch (error) {
    console.error(error);
    return failure(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string} project
 * @param {Record<string, string>} [env]
 * @returns {Promise<Omit<Result, 'minutes'>>}
 */
async function runProject(project, env) {
  clearReport(project);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile(project)}`];
  const code = await run('npm', ['run', '--silent', `test:${project}`, '--', ...reporters], env);
  const counts = readReport(project);
  if (counts === undefined) return failure('no report');
  const { passed, unrun } = counts;
  const detail = `${passed} passed, ${counts.failed} failed${unrun > 0 ? `, ${unrun} skipped` : ''}`;
  if (code === 0 && counts.failed === 0 && unrun === 0 && passed > 0)
    return { outcome: 'ok', passed, failed: 0, detail };
  // A run can fail with every test passing (an unhandled error, a skipped test, no test at all): that counts as one.
  return { outcome: 'failed', passed, failed: Math.max(1, counts.failed), detail };
}

/**
 * A step without tests that fails counts as one failed test, so that no failure ends in "0 failed".
 *
 * @param {string} detail
 * @returns {Omit<Result, 'minutes'>}
 */
function failure(detail) {
  return { outcome: 'failed', passed: 0, failed: 1, detail };
}

/**
 * @param {string} name
 * @param {Result} result
 */
function describe(name, { outcome, detail, minutes }) {
  const time = outcome === 'not run' ? '' : `${minutes.toFixed(2)} min`;
  return `${outcome.padEnd(8)}${name.padEnd(26)}${time.padStart(9)}  ${detail.split('\n')[0]}`.trimEnd();
}
