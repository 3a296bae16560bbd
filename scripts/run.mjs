// Usage: node scripts/run.mjs <tool | file> [arguments]
// Runs a tool of the workspace, a script, or a TypeScript program from source; installs the workspace first where needed.

import { run } from './command.mjs';
import { ensureInstalled } from './installation.mjs';

const [target, ...args] = process.argv.slice(2);
if (target === undefined) throw new Error('Nothing to run: name a tool of the workspace or a file.');

await ensureInstalled();

if (target.endsWith('.ts')) {
  // Node 20 runs no TypeScript; the condition makes workspace packages resolve to their source.
  process.exitCode = await run(process.execPath, ['--conditions=@runnel/source', '--import=tsx', target, ...args]);
} else if (target.endsWith('.mjs')) {
  process.exitCode = await run(process.execPath, [target, ...args]);
} else {
  process.exitCode = await run(target, args);
}
