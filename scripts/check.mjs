// npm run check: what to run before every commit, in less than two minutes.

import { ensureInstalled } from './installation.mjs';
import { runSteps } from './steps.mjs';

const succeeded = await runSteps([
  { name: 'install', action: ensureInstalled, required: true },
  { name: 'format and lint', script: 'lint' },
  { name: 'types (TypeScript 7)', script: 'typecheck:7' },
  { name: 'house style', project: 'tidy' },
  { name: 'unit tests', project: 'unit' },
  { name: 'simulation', project: 'simulation', env: { RUNNEL_SEEDS: '150' } },
]);
process.exitCode = succeeded ? 0 : 1;
