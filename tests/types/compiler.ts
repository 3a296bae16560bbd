/** Runs the compilers that are supported, by their command line, over projects that exist only for a test. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface Compiler {
  readonly name: string;
  /** The package that it is in. */
  readonly package: string;
  readonly flags: readonly string[];
}

/** The one that the packages are built with, and the oldest that an app may use. */
export const compilers: readonly Compiler[] = [
  // With several checkers at once, what they do is counted several times.
  { name: 'TypeScript 7', package: 'typescript', flags: ['--singleThreaded'] },
  { name: 'TypeScript 5.9', package: 'typescript-5.9', flags: [] },
];

export interface Compilation {
  /** The complaints about each file, as they are printed: `error TS2345: Argument of …`, with all lines. By the name of the file. */
  readonly errors: ReadonlyMap<string, readonly string[]>;
  /** How often a type was made of a generic one: what the time and memory of a check go by, and the same on every machine. */
  readonly instantiations: number;
}

const root = join(import.meta.dirname, '..', '..');
// Beside the packages of the tests, which is where the projects find what they import.
const cache = join(root, 'tests', 'node_modules', '.cache');
const require = createRequire(import.meta.url);

/** Compiles files, given by name, against the sources of the packages. `app` may be imported in them: it is `app.ts`. */
export async function compile(compiler: Compiler, files: Readonly<Record<string, string>>): Promise<Compilation> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'types-'));
  try {
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
    return read(await run(compiler, folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const configuration = {
  extends: join(root, 'tests', 'tsconfig.json'),
  compilerOptions: {
    incremental: false,
    tsBuildInfoFile: null,
    noUnusedLocals: false,
    paths: { app: [join(import.meta.dirname, 'app.ts')] },
  },
  include: ['*.ts'],
  references: [],
};

async function run(compiler: Compiler, folder: string): Promise<string> {
  const program = join(dirname(require.resolve(`${compiler.package}/package.json`)), 'lib', 'tsc.js');
  const args = [program, '-p', folder, '--pretty', 'false', '--extendedDiagnostics', ...compiler.flags];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    // It ends with a code where it found errors; anything else has no output.
    const { stdout } = error as { readonly stdout?: string };
    if (stdout?.includes('Instantiations:')) return stdout;
    throw error;
  }
}

function read(output: string): Compilation {
  const errors = new Map<string, string[]>();
  let last: string[] = [];
  for (const line of output.split('\n')) {
    const [, file, message] = /^(.+)\(\d+,\d+\): (error TS\d+: .*)$/.exec(line) ?? [];
    if (file !== undefined && message !== undefined) {
      last = errors.get(file) ?? [];
      errors.set(file, last);
      last.push(message);
    } else if (line.startsWith('  ') && last.length > 0) {
      last.push(`${last.pop()}\n${line}`);
    } else last = [];
  }
  return { errors, instantiations: Number(/^Instantiations:\s+(\d+)/m.exec(output)?.[1]) };
}
