import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { entryPoints } from './entry-points.ts';

const { folder, packages } = inject('installation');

/** How long a program may take, ms: more than it needs, and less than any time-out that could keep it from ending. */
const PATIENCE_MS = 10_000;

/** Runs a program of the installed project; it has to end by itself, with code 0. */
async function node(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(process.execPath, args, { cwd: folder, timeout: PATIENCE_MS });
}

describe('A program', () => {
  it('chats over each transport, and ends by itself', async () => {
    const { stdout, stderr } = await node('chat.mjs');
    const met = (transport: string) => ({
      used: transport,
      message: { text: 'hi', from: `ann by ${transport}` },
      invalid: 'validation_failed',
    });
    expect(JSON.parse(stdout)).toEqual(['websocket', 'stream', 'poll'].map(met));
    expect(stderr).toBe('');
  });

  it('tests itself without a port, and ends by itself', async () => {
    expect(await node('tested.mjs')).toEqual({ stdout: 'alice: hi\n', stderr: '' });
  });

  it('of CommonJS can require the packages, without a warning', async () => {
    expect(await node('required.cjs')).toEqual({ stdout: 'function,function,function,function\n', stderr: '' });
  });

  it('can import every entry point', async () => {
    const specifiers = packages.flatMap((installed) => entryPoints(installed).map(({ specifier }) => specifier));
    expect(specifiers).toEqual(expect.arrayContaining(packages.map(({ name }) => name)));
    const program = `for (const name of ${JSON.stringify(specifiers)}) {
      const exported = Object.keys(await import(name));
      if (exported.length === 0) console.log(name);
    }`;
    expect(await node('--input-type=module', '--eval', program)).toEqual({ stdout: '', stderr: '' });
  });

  it('finds the same in the file for browsers as in the package', async () => {
    const { stdout } = await node(
      '--input-type=module',
      '--eval',
      `console.log(Object.keys(await import('@runnel/client')).join());
       console.log(Object.keys(await import('@runnel/client/runnel.min.js')).sort().join());`,
    );
    const [whole, minified] = stdout.trim().split('\n');
    expect(minified).toBe(whole);
    expect(readFileSync(join(folder, 'node_modules/@runnel/client/dist/runnel.min.js'), 'utf8')).not.toMatch(
      /\bimport[\s{"']/,
    );
  });
});
