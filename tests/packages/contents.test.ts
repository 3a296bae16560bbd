import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';

const { packages } = inject('installation');

describe.each(packages)('$name', ({ folder }) => {
  // But for the file for old browsers: a script made from all sources together.
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => statSync(join(folder, path)).isFile() && !path.startsWith('dist/es5/'),
  );
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const stem = (file: string) => file.replace(/^(?:dist|src)\//, '').replace(/(?:\.d)?\.tsx?$|\.js$/, '');

  it('holds its build, the source of that, and what everybody reads first', () => {
    const [built, rest] = divide(files, (file) => file.startsWith('dist/'));
    const [source, top] = divide(rest, (file) => file.startsWith('src/'));
    expect(top.sort()).toEqual(['LICENSE', 'README.md', 'package.json']);
    expect(source.filter((file) => !/\.tsx?$/.test(file) || /\.(?:test|test-d)\./.test(file))).toEqual([]);
    expect(built.filter((file) => !/\.(?:js|d\.ts)(?:\.map)?$/.test(file))).toEqual([]);
  });

  it('holds nothing in its build that has no source, and nothing of its source unbuilt', () => {
    const sources = files.filter((file) => file.startsWith('src/')).map(stem);
    const built = files.filter((file) => /^dist\/.*\.js$/.test(file) && !file.endsWith('.min.js')).map(stem);
    const declared = files.filter((file) => /^dist\/.*\.d\.ts$/.test(file)).map(stem);
    expect(built.sort()).toEqual(sources.sort());
    expect(declared.sort()).toEqual(sources);
  });

  it('has a map for each file of its build, whose sources are there', () => {
    const mapped = files.filter((file) => file.startsWith('dist/') && !file.endsWith('.map'));
    expect(mapped.filter((file) => !files.includes(`${file}.map`))).toEqual([]);
    const lost = mapped.flatMap((file) => {
      const map: { sources: string[]; sourcesContent?: string[] } = JSON.parse(
        readFileSync(join(folder, `${file}.map`), 'utf8'),
      );
      return map.sources
        .filter((_, i) => !map.sourcesContent?.[i])
        .map((source) => join(dirname(file), source))
        .filter((source) => !files.includes(source));
    });
    expect(lost).toEqual([]);
  });

  it('holds what its bundles load', () => {
    const bundles = files.filter((file) => file.endsWith('.min.js'));
    const loaded = bundles.flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/\bimport\("([^"]+)"\)/g)].map(([, name = '']) =>
        join(dirname(file), name),
      ),
    );
    expect(loaded.filter((file) => !files.includes(file))).toEqual([]);
    if (manifest.name === '@runnel/client') expect(loaded).not.toEqual([]);
  });

  it('has a README that says how to install it', () => {
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    expect(readme.split('\n')[0]).toBe(`# ${manifest.name}`);
    expect(readme).toMatch(new RegExp(`^npm install (?:--save-dev )?${manifest.name}\\b`, 'm'));
  });

  it('leaves nothing in its package.json that only the workspace understands', () => {
    const { version, license, dependencies, peerDependencies, devDependencies } = manifest;
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(license).toBe('MIT');
    const ranges = Object.entries({ ...devDependencies, ...peerDependencies, ...dependencies });
    expect(ranges.filter(([, range]) => !/^(?:npm:[\w-]+@)?(?:[~^]|>=)?\d/.test(String(range)))).toEqual([]);
    const own = ranges.filter(([name]) => name.startsWith('@runnel/'));
    expect(own.filter(([, range]) => range !== `^${version}`)).toEqual([]);
  });
});

function divide<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}
