import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './command.mjs';

// Holds the hash of the lockfile that node_modules was installed from. Written after a complete installation only.
const marker = join(root, 'node_modules', '.runnel-lockfile');

/** Installs the workspace with the pinned pnpm, unless it is installed from this very lockfile. */
export async function ensureInstalled() {
  const lockfile = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .digest('hex');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lockfile) return;

  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  console.log(`Installing dependencies with ${packageManager} …`);
  const code = await run('npx', ['--yes', packageManager, 'install', '--frozen-lockfile']);
  if (code !== 0) throw new Error(`Installing the dependencies failed: pnpm ended with ${code}; its output is above.`);
  writeFileSync(marker, lockfile);
}
