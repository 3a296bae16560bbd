// npm test: everything, from a bare machine to one line of numbers.

import { ensureInstalled } from './installation.mjs';
import { ensurePrograms } from './programs.mjs';
import { runSteps } from './steps.mjs';

const succeeded = await runSteps([
  { name: 'install', action: ensureInstalled, required: true },
  { name: 'test programs', action: ensurePrograms, required: true },
  { name: 'build', script: 'build', required: true },
  { name: 'format and lint', script: 'lint' },
  { name: 'types (TypeScript 7)', script: 'typecheck:7' },
  { name: 'types (TypeScript 5.9)', script: 'typecheck:5.9' },
  { name: 'unused code', script: 'knip' },
  { name: 'packages', script: 'publint' },
  { name: 'bundle size', script: 'size' },
  { name: 'house style', project: 'tidy' },
  { name: 'unit tests', project: 'unit' },
  { name: 'types in use', project: 'types' },
  { name: 'simulation', project: 'simulation' },
  { name: 'conformance', project: 'conformance' },
  { name: 'brokers', project: 'brokers' },
  { name: 'cluster', project: 'cluster' },
  { name: 'benchmark', project: 'bench' },
  { name: 'packed packages', project: 'packages' },
  { name: 'gauntlet', project: 'gauntlet' },
  { name: 'browsers', project: 'browsers' },
  { name: 'minified client', project: 'minified' },
  { name: 'old browsers', project: 'legacy' },
  { name: 'demo and examples', project: 'e2e' },
]);
process.exitCode = succeeded ? 0 : 1;
