import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vitest/config';

export const builtFolder: URL = new URL('../node_modules/.cache/minified/', import.meta.url);

/** `runnel.min.js` in place of the client that tests ask for: by the name of the package, or as the source beside them. */
export const minifiedClient: Plugin = {
  name: 'minified-client',
  enforce: 'pre',
  resolveId: (source, importer) =>
    source === '@runnel/client' || (/^(\.\.\/)+src\/index\.ts$/.test(source) && /\/client\/test\//.test(importer ?? ''))
      ? fileURLToPath(new URL('runnel.min.js', builtFolder))
      : null,
};
