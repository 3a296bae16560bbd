/** The README's code, as it stands there: it compiles, and its client and server talk. */
import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url);
// Compiled against the built packages, as their users do. Below tests/, so that imports find what a project of its own would have installed.
const folder = new URL('../node_modules/.cache/readme/', import.meta.url);

const tsconfig = {
  extends: '../../../../tsconfig.base.json',
  compilerOptions: {
    noEmit: true,
    types: ['node'],
    customConditions: [],
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: false,
  },
  include: ['*.ts'],
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Runs one of the files; `until` ends it once a line of its output matches. */
function start(file: string, until: RegExp): { seen: Promise<string>; stop: () => void } {
  const tsx = new URL('node_modules/tsx/dist/cli.mjs', root);
  const child = spawn(process.execPath, [tsx.pathname, '--conditions=@runnel/source', file], { cwd: folder });
  const said: string[] = [];
  const seen = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        said.push(line);
        if (until.test(line)) resolve(line);
      });
    }
    child.once('exit', () => reject(new Error(`${file} ended:\n${said.join('\n')}`)));
  });
  return { seen, stop: () => void child.kill('SIGKILL') };
}

beforeAll(async () => {
  const readme = await readFile(new URL('README.md', root), 'utf8');
  const port = await freePort();
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(new URL('tsconfig.json', folder), JSON.stringify(tsconfig));
  await writeFile(new URL('package.json', folder), JSON.stringify({ type: 'module' }));
  for (const [, name = '', code = ''] of readme.matchAll(/```ts\n\/\/ (\S+\.ts)\n([\s\S]*?)```/g)) {
    await writeFile(new URL(name, folder), code.replaceAll('3000', String(port)));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('compiles', async () => {
  const tsc = new URL('node_modules/typescript/bin/tsc', root).pathname;
  const { stdout } = await run(process.execPath, [tsc, '-p', folder.pathname]).catch((error) => error);
  expect(stdout).toBe('');
});

test('runs: the client receives what it publishes and what the server says', async () => {
  const listening = new URL('server.ts', folder);
  await writeFile(listening, `${await readFile(listening, 'utf8')}\nconsole.log('listening');\n`);
  const server = start('server.ts', /^listening$/);
  await server.seen;
  const own = start('client.ts', /^ann hi true$/);
  expect(await own.seen).toBe('ann hi true');
  own.stop();
  const history = start('client.ts', /^server Hello false$/);
  expect(await history.seen).toBe('server Hello false');
  history.stop();
  server.stop();
});
