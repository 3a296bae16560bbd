// npm start: the demo, from a bare machine. PORT chooses the port.

import { join } from 'node:path';
import { root, run } from './command.mjs';
import { ensureInstalled } from './installation.mjs';

// A SIGTERM to npm ends the shell between npm and this process, and stops there: end with the shell.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
}, 500).unref();

await ensureInstalled();
process.exitCode =
  (await run('turbo', ['run', 'build', '--filter=@runnel/demo'])) ||
  (await run(process.execPath, [join(root, 'apps', 'demo', 'dist', 'main.js')]));
