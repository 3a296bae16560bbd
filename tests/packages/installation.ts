/** Packs the packages as they would be published and installs them into an empty project, once for all tests of this folder. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    installation: Installation;
  }
}

export interface Installation {
  /** The project that the packages are installed in. */
  readonly folder: string;
  /** In the order of their names. */
  readonly packages: readonly InstalledPackage[];
}

export interface InstalledPackage {
  readonly name: string;
  /** The packed file. */
  readonly tarball: string;
  /** Where it was unpacked. */
  readonly folder: string;
}

const root = join(import.meta.dirname, '..', '..');
const run = promisify(execFile);
const env = {
  ...process.env,
  TURBO_TELEMETRY_DISABLED: '1',
  PATH: [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter),
};

/** What an app installs beside them: a validator, the peers that it uses, and declarations. */
const companions = [
  ...['zod@4', 'react@19', '@redis/client@6', '@nats-io/transport-node@3'],
  ...['@types/node@20', '@types/react@19'],
];

let temporary: string;

export async function setup(project: TestProject): Promise<void> {
  temporary = await mkdtemp(join(tmpdir(), 'runnel-packages-'));
  // Built already in `npm test`; then this only asks the cache.
  await run('turbo', ['run', 'build', '--filter=./packages/*'], { cwd: root, env });
  const folder = join(temporary, 'app');
  await cp(join(import.meta.dirname, 'app'), folder, { recursive: true });
  const names = (await readdir(join(root, 'packages'))).sort();
  const packages = await Promise.all(names.map((name) => pack(name, folder)));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const wanted = [...packages.map(({ tarball }) => tarball), ...companions];
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...wanted], { cwd: folder });
  project.provide('installation', { folder, packages });
}

export async function teardown(): Promise<void> {
  await rm(temporary, { recursive: true, force: true });
}

async function pack(name: string, app: string): Promise<InstalledPackage> {
  const source = join(root, 'packages', name);
  const destination = join(temporary, name);
  await mkdir(destination);
  await run('pnpm', ['pack', '--pack-destination', destination], { cwd: source, env });
  const [tarball = ''] = await readdir(destination);
  const manifest = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
  return { name: manifest.name, tarball: join(destination, tarball), folder: join(app, 'node_modules', manifest.name) };
}
