// npm run chaos [-- --clients 300 --seconds 60 --lease 10000]: a cluster of processes in which something breaks all the time. What it takes: tests/cluster/chaos-main.ts

import { run } from './command.mjs';
import { ensureInstalled } from './installation.mjs';
import { ensurePrograms } from './programs.mjs';

await ensureInstalled();
await ensurePrograms();
const program = ['--conditions=@runnel/source', '--import=tsx', 'tests/cluster/chaos-main.ts'];
process.exitCode = await run(process.execPath, [...program, ...process.argv.slice(2)]);
