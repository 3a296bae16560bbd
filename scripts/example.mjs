// npm run example: names the examples. npm run example chat: starts one, on PORT or 3000.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './command.mjs';
import { ensureInstalled } from './installation.mjs';

const [name = ''] = process.argv.slice(2);
const server = join(root, 'examples', name, 'server.ts');

if (name === '' || !existsSync(server)) {
  const names = readdirSync(join(root, 'examples')).filter((entry) =>
    existsSync(join(root, 'examples', entry, 'server.ts')),
  );
  console.error(`Usage: npm run example <name>\nThere are ${names.join(', ')}.`);
  process.exitCode = 1;
} else {
  await ensureInstalled();
  process.exitCode = await run(process.execPath, ['--conditions=@runnel/source', '--import=tsx', server]);
}
