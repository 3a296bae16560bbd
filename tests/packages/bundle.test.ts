import { build } from 'esbuild';
import { expect, inject, it } from 'vitest';
import { entryPoints } from './entry-points.ts';

const { folder, packages } = inject('installation');
const ofClient = packages.filter(({ name }) => name === '@runnel/client').flatMap(entryPoints);
const entries = ['browser.ts', ...ofClient.filter(({ typed }) => typed).map(({ specifier }) => specifier)];

it.each(entries)('%s bundles for browsers, without anything of Node, a validator or `ws`', async (entry) => {
  const { metafile, outputFiles, warnings } = await build({
    absWorkingDir: folder,
    entryPoints: [entry],
    bundle: true,
    external: ['react'],
    format: 'esm',
    // What tabs need that share a session is loaded by itself.
    splitting: true,
    outdir: 'bundled',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
    metafile: true,
    write: false,
  });
  expect(warnings).toEqual([]);
  const inputs = Object.keys(metafile.inputs);
  const ours = /^(?:browser\.ts|node_modules\/@runnel\/(?:client|protocol)\/dist\/.*)$/;
  expect(inputs.filter((input) => !ours.test(input))).toEqual([]);
  // React is the page's own; nothing else is left to be imported, whatever it is called.
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports);
  const foreign = imports.filter(({ external }) => external).map(({ path }) => path);
  expect(foreign.filter((path) => path !== 'react')).toEqual([]);
  expect(Object.values(metafile.outputs).flatMap((output) => output.exports)).not.toEqual([]);
  expect(outputFiles).not.toEqual([]);
  for (const { text } of outputFiles) expect(text).not.toMatch(/["'`]node:|\brequire\(|session\/server|ZodType/);
});

/** The packages' files that are in the bundle of an app with all that a page can use of the client. */
async function filesOfApp(conditions: string[]): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: folder,
    stdin: {
      contents: `export { createClient, RunnelError } from '@runnel/client';
        export { createHooks } from '@runnel/client/react';
        export { explain } from '@runnel/client/diagnose';`,
      resolveDir: folder,
    },
    bundle: true,
    conditions,
    external: ['react'],
    format: 'esm',
    splitting: true,
    outdir: 'bundled',
    metafile: true,
    write: false,
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  return inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([input]) => input.replace('node_modules/@runnel/', ''));
}

/** What the client is made of, and nothing beside it. */
const core = /^(?:client\/dist\/(?!react\/|diagnose\/)|protocol\/dist\/(?:session|channels)\/)/;

it('an app for production has the client in the minified file, and only there', async () => {
  const files = await filesOfApp([]);
  expect(files.filter((file) => core.test(file)).sort()).toEqual([
    'client/dist/runnel-share.min.js',
    'client/dist/runnel.min.js',
  ]);
});

it('an app under development has the client as it was written', async () => {
  const files = await filesOfApp(['development']);
  expect(files).toContain('client/dist/driver.js');
  expect(files.filter((file) => file.endsWith('.min.js'))).toEqual([]);
});
