/** The README's code, as it stands there: it compiles, and its client and server talk. */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root, SnippetProject, snippetsOf } from './snippets.ts';

const project = new SnippetProject('readme');
const { folder } = project;

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
  await project.begin();
  for (const { file, code } of snippetsOf(readme)) {
    if (file !== null && !file.includes('/')) await project.write(file, code.replaceAll('3000', String(port)));
  }
});
afterAll(() => project.end());

test('compiles', async () => {
  expect(await project.compile()).toBe('');
});

test('shows two examples as they are', async () => {
  const shown = snippetsOf(await readFile(new URL('README.md', root), 'utf8')).filter(({ file }) =>
    file?.includes('/'),
  );
  expect(new Set(shown.map(({ file }) => file?.split('/')[1])).size).toBe(2);
  for (const { file, code } of shown) {
    expect(code).toBe(`// ${file}\n${await readFile(new URL(file ?? '', root), 'utf8')}`);
  }
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
