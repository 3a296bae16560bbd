import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const unowned = new Set(['.git', '.reports', '.turbo', 'dist', 'node_modules']);

// Every file but this one, which names what it forbids.
const files = listFiles().filter((file) => file !== 'tests/tidy/tidy.test.ts');
const code = files.filter((file) => /\.(?:ts|tsx|mts|mjs|js)$/.test(file));
const source = code.filter((file) => /^packages\/[^/]+\/src\//.test(file));
const tests = code.filter((file) => /\.test(?:-d)?\.ts$/.test(file));

it('reads the tree', () => {
  expect(source.length).toBeGreaterThan(0);
});

it('keeps source files within 400 lines', () => {
  expect(source.filter((file) => read(file).trimEnd().split('\n').length > 400)).toEqual([]);
});

it('names files in kebab-case', () => {
  const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.(?:config|d|test|test-d))?\.[a-z]+$/;
  expect(code.filter((file) => !kebab.test(basename(file)))).toEqual([]);
});

it('names files by their noun: no utils, no helpers, no types', () => {
  const vague = /^(?:.*-)?(?:utils?|helpers?|types)\.[a-z]+$/;
  expect(code.filter((file) => vague.test(basename(file)))).toEqual([]);
});

it('runs every test: none skipped, focused or left to do', () => {
  expect(linesWith(tests, /\.(?:skip|only|todo|fails|skipIf|runIf)\b\s*[(.]/)).toEqual([]);
});

it('never runs a test again to see it pass', () => {
  expect(linesWith(tests, /[{,]\s*retry:\s*[\d{]|--retry/)).toEqual([]);
  expect(linesWith(['vitest.config.ts', 'package.json'], /\bretry: (?!0\b)|--retry/)).toEqual([]);
});

it('runs every test project that has tests in npm test', () => {
  const npmTest = read('scripts/test.mjs');
  const projects = [...read('vitest.config.ts').matchAll(/project\('([\w-]+)', '([^'*]+)/g)];
  expect(projects.length).toBeGreaterThan(0);
  const withTests = projects.filter(([, , folder = '']) => tests.some((file) => file.startsWith(folder)));
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const isRun = (name = '') => npmTest.includes(`project: '${name}'`) && `test:${name}` in scripts;
  expect(withTests.map(([, name]) => name).filter((name) => !isRun(name))).toEqual([]);
});

it('leaves no work marked in comments', () => {
  expect(linesWith(code, /\b(?:TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
});

it('never silences the type checker', () => {
  expect(linesWith(code, /\bas any\b(?! \w)|@ts-ignore|@ts-nocheck/)).toEqual([]);
});

it('exports by name only', () => {
  expect(linesWith(source, /^\s*export default\b|\bas default\b/)).toEqual([]);
});

it('keeps the protocol free of everything outside itself', () => {
  // A name with `#` is the package's own.
  expect(importsOf('packages/protocol/src/').filter(({ specifier }) => !/^[.#]/.test(specifier))).toEqual([]);
  expect(importsOf('packages/protocol/src/').filter(leavesItsPackage)).toEqual([]);
});

it('keeps the client on the protocol alone, but for its hooks, which are for React', () => {
  const strangers = importsOf('packages/client/src/').filter(
    (entry) =>
      leavesItsPackage(entry) ||
      !(
        /^(?:\.|#|@runnel\/protocol(?:\/|$))/.test(entry.specifier) ||
        (/^(?:react|@runnel\/client)$/.test(entry.specifier) && entry.file.startsWith('packages/client/src/react/'))
      ),
  );
  expect(strangers).toEqual([]);
});

it('keeps React out of the client', () => {
  const entries = importsOf('packages/client/src/').filter(
    ({ file }) => !file.startsWith('packages/client/src/react/'),
  );
  expect(entries.length).toBeGreaterThan(0);
  expect(entries.filter(({ specifier }) => specifier.includes('/react/'))).toEqual([]);
});

it('keeps the client out of the server', () => {
  const strangers = importsOf('packages/server/src/').filter(
    (entry) => leavesItsPackage(entry) || entry.specifier.startsWith('@runnel/client'),
  );
  expect(strangers).toEqual([]);
});

it('names no package registry', () => {
  expect(linesWith(files, /https?:\/\/[^\s/'"]*registry|_authToken/i)).toEqual([]);
  const settings = files.filter((file) => /(?:^|\/)(?:\.npmrc|pnpm-workspace\.yaml|package\.json)$/.test(file));
  expect(linesWith(settings, /\bregistry\b/i)).toEqual([]);
});

it('keeps the lockfile independent of where packages come from', () => {
  expect(linesWith(['pnpm-lock.yaml'], /tarball:|https?:\/\//)).toEqual([]);
});

/** The files of the repository, committed or about to be; where there is no git, those on disk. */
function listFiles(): string[] {
  if (!existsSync(join(root, '.git'))) return walk(root);
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  return [...new Set(listed.toString().split('\0'))].filter((file) => file !== '' && existsSync(join(root, file)));
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (unowned.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [relative(root, path).replaceAll(sep, '/')];
  });
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** `file:line text` of every line that matches. */
function linesWith(searched: readonly string[], pattern: RegExp): string[] {
  return searched.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [])),
  );
}

interface Import {
  file: string;
  specifier: string;
}

function importsOf(folder: string): Import[] {
  return source
    .filter((file) => file.startsWith(folder))
    .flatMap((file) =>
      [...read(file).matchAll(/^(?!\s*(?:\/\/|\*)).*?\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/gm)].map(
        ([, specifier = '']) => ({ file, specifier }),
      ),
    );
}

function leavesItsPackage({ file, specifier }: Import): boolean {
  if (!specifier.startsWith('.')) return false;
  return !join(file, '..', specifier).startsWith(join('packages', file.split('/')[1] ?? '', 'src'));
}
