/** The README's code, as it stands there: it compiles, and its client and server talk. */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
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

/** Runs one of the files until the test has finished; resolves with the first line of its output that is like this. */
function start(file: string, like: RegExp): Promise<string> {
  // Without the wrapper of tsx, whose child would outlive it.
  const child = spawn(process.execPath, ['--conditions=@runnel/source', '--import=tsx', file], { cwd: folder });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said: string[] = [];
  return new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        said.push(line);
        if (like.test(line)) resolve(line);
      });
    }
    child.once('exit', () => reject(new Error(`${file} ended:\n${said.join('\n')}`)));
  });
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
  await start('server.ts', /^listening$/);
  expect(await start('client.ts', /^ann hi true$/)).toBe('ann hi true');
  expect(await start('client.ts', /^server Hello false$/)).toBe('server Hello false');
});
