// npm run gauntlet: Runnel and others, through everything that networks are known to do. What it takes: tests/gauntlet/report/main.ts

import { run } from './command.mjs';
import { ensureInstalled } from './installation.mjs';
import { ensurePrograms } from './programs.mjs';

await ensureInstalled();
await ensurePrograms();
const program = ['--conditions=@runnel/source', '--import=tsx', 'tests/gauntlet/report/main.ts'];
process.exitCode = await run(process.execPath, [...program, ...process.argv.slice(2)]);
