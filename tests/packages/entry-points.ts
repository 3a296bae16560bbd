import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstalledPackage } from './installation.ts';

export interface EntryPoint {
  /** Its key in `exports`. */
  readonly path: string;
  /** What a program imports. */
  readonly specifier: string;
  /** Whether it has types: those without are files to be loaded as they are. */
  readonly typed: boolean;
}

/** What `exports` of an installed package offers to be imported. */
export function entryPoints({ name, folder }: InstalledPackage): EntryPoint[] {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { exports } = manifest as { exports: Record<string, string | { readonly types?: string }> };
  return Object.entries(exports)
    .filter(([path]) => path !== './package.json')
    .map(([path, target]) => ({
      path,
      specifier: `${name}${path.slice(1)}`,
      typed: typeof target !== 'string' && target.types !== undefined,
    }));
}
