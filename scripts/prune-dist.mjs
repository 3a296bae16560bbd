// Run in a package before it is packed: takes out of dist what the source no longer has, for a build leaves it there.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const manifest = readFileSync('package.json', 'utf8');

for (const file of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
  const stem = /^(.+?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(file)?.[1];
  // A bundle is made of all of the source.
  if (stem === undefined || stem.endsWith('.min') || manifest.includes(`"./dist/${file}"`)) continue;
  if (!existsSync(join('src', `${stem}.ts`)) && !existsSync(join('src', `${stem}.tsx`))) rmSync(join('dist', file));
}
