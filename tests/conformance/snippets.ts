/** Code that stands in documents, taken out and compiled against the built packages, as its readers would. */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const root: URL = new URL('../../', import.meta.url);

const tsconfig = {
  extends: '../../../../tsconfig.base.json',
  compilerOptions: {
    noEmit: true,
    lib: ['ES2022', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable', 'ESNext.Disposable'],
    types: ['node'],
    jsx: 'react-jsx',
    customConditions: [],
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: false,
    noUnusedLocals: false,
  },
  include: ['*.ts', '*.tsx'],
};

export interface Snippet {
  readonly language: 'ts' | 'tsx';
  /** From a first line such as `// contract.ts`. */
  readonly file: string | null;
  readonly code: string;
}

export function snippetsOf(markdown: string): readonly Snippet[] {
  return [...markdown.matchAll(/^```(tsx?)\n([\s\S]*?)^```$/gm)].map(([, language, code = '']) => ({
    language: language as Snippet['language'],
    file: /^\/\/ (\S+\.ts)\n/.exec(code)?.[1] ?? null,
    code,
  }));
}

/** A project below tests/, so that imports find what a project of its own would have installed. */
export class SnippetProject {
  readonly folder: URL;

  constructor(name: string) {
    this.folder = new URL(`tests/node_modules/.cache/${name}/`, root);
  }

  async begin(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(this.folder, { recursive: true });
    await writeFile(new URL('tsconfig.json', this.folder), JSON.stringify(tsconfig));
    await writeFile(new URL('package.json', this.folder), JSON.stringify({ type: 'module' }));
  }

  write(file: string, code: string): Promise<void> {
    return writeFile(new URL(file, this.folder), code);
  }

  /** What the compiler says; empty where all is well. */
  async compile(): Promise<string> {
    const tsc = new URL('node_modules/typescript/bin/tsc', root).pathname;
    const { stdout } = await run(process.execPath, [tsc, '-p', this.folder.pathname]).catch((error) => error);
    return String(stdout);
  }

  end(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
