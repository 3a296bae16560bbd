import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { entryPoints } from './entry-points.ts';

const { folder, packages } = inject('installation');

interface Consumer {
  readonly name: string;
  /** What it has beside the file that exports all entry points. */
  readonly files: readonly string[];
  /** The packages of which all entry points are used. */
  readonly uses: readonly string[];
  /** What it knows of the world. */
  readonly lib: readonly string[];
  readonly types: readonly string[];
  readonly compilers: readonly string[];
}

const all = packages.map(({ name }) => name);

const compilers = ['typescript', 'typescript-5.9'];

const consumers: readonly Consumer[] = [
  { name: 'a server, without DOM,', files: ['server.ts'], uses: all, lib: ['ES2022'], types: ['node'], compilers },
  {
    name: 'a page, without Node and `Symbol.asyncDispose`,',
    files: ['browser.ts'],
    uses: ['@runnel/client', '@runnel/protocol'],
    lib: ['ES2022', 'DOM'],
    types: [],
    compilers,
  },
  {
    name: 'a project with everything',
    files: ['server.ts', 'browser.ts'],
    uses: all,
    lib: ['ESNext', 'DOM', 'DOM.Iterable'],
    types: ['node'],
    compilers: ['typescript'],
  },
];
const resolutions = { nodenext: 'nodenext', bundler: 'esnext' };

const cases = consumers.flatMap((consumer) =>
  consumer.compilers.flatMap((compiler) =>
    Object.entries(resolutions).map(([moduleResolution, module]) => ({
      ...consumer,
      compiler,
      moduleResolution,
      module,
    })),
  ),
);

describe.concurrent('The declarations compile', () => {
  it.each(cases)('in $name by $compiler with moduleResolution $moduleResolution', async (given) => {
    const { compiler, files, lib, module, moduleResolution, types, uses } = given;
    const specifiers = packages
      .filter(({ name }) => uses.includes(name))
      .flatMap((installed) => entryPoints(installed).filter(({ typed }) => typed))
      .map(({ specifier }) => specifier);
    expect(specifiers).toEqual(expect.arrayContaining([...uses]));
    const entries = `entries-${cases.indexOf(given)}.ts`;
    writeFileSync(
      join(folder, entries),
      specifiers.map((specifier, index) => `export * as e${index} from '${specifier}';\n`).join(''),
    );
    const options = { module, moduleResolution, lib, types };
    expect(await compile(compiler, folder, [...files, entries], options)).toBe('');
  });

  it('in what the READMEs show', async () => {
    const readme = join(folder, 'readme');
    mkdirSync(readme);
    const snippets = packages.flatMap((installed) => {
      const text = readFileSync(join(installed.folder, 'README.md'), 'utf8');
      return [...text.matchAll(/```ts\n\/\/ (\S+\.ts)\n([\s\S]*?)```/g)].map(([, file = '', code = '']) => ({
        file,
        code,
      }));
    });
    for (const { file, code } of snippets) writeFileSync(join(readme, file), code);
    const files = snippets.map(({ file }) => file);
    expect(files.sort()).toEqual(['client.ts', 'contract.ts', 'realtime.test.ts', 'realtime.ts', 'server.ts']);
    const options = { module: 'nodenext', moduleResolution: 'nodenext', lib: ['ES2022'], types: ['node'] };
    expect(await compile('typescript', readme, files, options)).toBe('');
  });
});

/** What the compiler says: nothing where all is well. */
function compile(compiler: string, project: string, files: readonly string[], more: object): Promise<string> {
  const config = join(project, `${files.at(-1)}.json`);
  // Only what comes with the compiler is not checked.
  const checks = { strict: true, skipLibCheck: false, skipDefaultLibCheck: true, declaration: true };
  writeFileSync(
    config,
    JSON.stringify({ compilerOptions: { target: 'ES2022', noEmit: true, ...checks, ...more }, files }),
  );
  const tsc = join(import.meta.dirname, '..', 'node_modules', compiler, 'lib', 'tsc.js');
  return new Promise((done) => {
    execFile(process.execPath, [tsc, '-p', config], { cwd: project }, (error, stdout, stderr) => {
      done(`${stdout}${stderr}` || (error?.message ?? ''));
    });
  });
}
