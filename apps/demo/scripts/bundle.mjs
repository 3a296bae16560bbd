// Writes dist/public: the page, its script and its styles, each one file.

import { cp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const appRoot = fileURLToPath(new URL('..', import.meta.url));
const publicFolder = new URL('../dist/public/', import.meta.url);

await rm(publicFolder, { recursive: true, force: true });
await cp(new URL('../public/', import.meta.url), publicFolder, { recursive: true });
await build({
  absWorkingDir: appRoot,
  entryPoints: {
    app: 'src/browser/main.ts',
    'early-theme': 'src/browser/early-theme.ts',
    style: 'src/browser/styles/style.css',
  },
  outdir: 'dist/public',
  conditions: ['@runnel/source'],
  bundle: true,
  minify: true,
  sourcemap: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  logLevel: 'warning',
});
