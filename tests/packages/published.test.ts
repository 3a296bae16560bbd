import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, inject, it } from 'vitest';
import { entryPoints } from './entry-points.ts';

/** The packages are ES modules (attw's profile `esm-only`): TypeScript's `node10` resolution and CommonJS sources are not looked at. */
const notForUs = new Set(['node10', 'node16-cjs']);

describe.each(inject('installation').packages)('$name', (installed) => {
  const { folder, tarball } = installed;

  it('satisfies publint', async () => {
    const { messages, pkg } = await publint({ pkgDir: folder, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types that are not wrong for ESM', async () => {
    const data = new Uint8Array(readFileSync(tarball));
    const entrypoints = entryPoints(installed)
      .filter(({ typed }) => typed)
      .map(({ path }) => path);
    const analysis = await checkPackage(createPackageFromTarballData(data), { entrypoints });
    if (analysis.types === false) throw new Error('It has no types at all.');
    expect(Object.keys(analysis.entrypoints)).toEqual(entrypoints);
    const problems = analysis.problems.filter(
      (problem) => !('resolutionKind' in problem && notForUs.has(problem.resolutionKind)),
    );
    expect(problems).toEqual([]);
  });
});
