/** What is measured is what is published: compiled JavaScript, not TypeScript on the fly. The benchmark's own processes are compiled as well. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = fileURLToPath(new URL('.', import.meta.url));
const output = fileURLToPath(new URL('../dist', import.meta.url));

export const programs = {
  contender: `${output}/contenders/process.js`,
  load: `${output}/load/process.js`,
} as const;

/** Packages by folder, such as `server`, and what they need; then the benchmark's processes. */
export async function buildAll(packages: readonly string[]): Promise<void> {
  const folders = packages.map((name) => `packages/${name}`);
  execFileSync('node_modules/.bin/tsc', ['--build', ...folders], { cwd: root, stdio: 'inherit' });
  await build({
    entryPoints: [`${source}/contenders/process.ts`, `${source}/load/process.ts`],
    ...{ outdir: output, outbase: source, bundle: true, splitting: true, packages: 'external' },
    ...{ platform: 'node', format: 'esm', target: 'node20', logLevel: 'warning' },
  });
}
