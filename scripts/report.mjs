import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './command.mjs';

/** @typedef {{ passed: number, failed: number, unrun: number }} Counts */

/** @param {string} project where vitest writes the report of this project */
export function reportFile(project) {
  return join(root, '.reports', `${project}.json`);
}

/** @param {string} project */
export function clearReport(project) {
  rmSync(reportFile(project), { force: true });
}

/**
 * Counts the tests of one vitest run.
 *
 * @param {string} project
 * @returns {Counts | undefined} undefined where the run ended before it could report
 */
export function readReport(project) {
  const file = reportFile(project);
  if (!existsSync(file)) return undefined;
  const report = JSON.parse(readFileSync(file, 'utf8'));
  // A file that cannot be loaded holds no test that could fail: it counts as one.
  const unloadable = report.testResults.filter(
    (/** @type {{ status: string, assertionResults: unknown[] }} */ result) =>
      result.status === 'failed' && result.assertionResults.length === 0,
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable,
    unrun: report.numPendingTests + report.numTodoTests,
  };
}
